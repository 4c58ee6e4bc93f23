package sqlite

import (
	"fmt"

	"golang.org/x/sys/unix"

	"candor"
)

// remoteName names file systems whose locks or shared memory SQLite's
// write-ahead log cannot rely on (sqlite.org/wal.html: all users of a database
// must be on one host). Numbers from statfs(2) and the kernel's magic.h.
func remoteName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0x517B, 0xFE534D42, 0xFF534D42:
		return "SMB"
	case 0x65735546:
		return "FUSE (sshfs and the like)"
	case 0x01021997:
		return "9P"
	case 0x00C36400:
		return "Ceph"
	case 0x5346414F, 0x6B414653:
		return "AFS"
	case 0x73757245:
		return "Coda"
	case 0x0BD00BD0:
		return "Lustre"
	case 0x47504653:
		return "GPFS"
	case 0x01161970:
		return "GFS2"
	case 0x7461636F:
		return "OCFS2"
	case 0x19830326:
		return "BeeGFS"
	case 0x786F4256:
		return "a VirtualBox share"
	}
	return ""
}

// refuseRemote refuses a directory on a network or cluster file system.
func refuseRemote(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fault("look at the file system of "+dir, err)
	}
	return remoteFault(dir, remoteName(uint32(st.Type)))
}

func remoteFault(dir, name string) error {
	if name == "" {
		return nil
	}
	return &candor.Error{
		Code:    candor.CodeUnsupported,
		Message: fmt.Sprintf("state directory %s is on %s, where SQLite cannot keep its promises", dir, name),
		Hint:    "take a directory on a disk of this machine: --state DIR or CANDOR_STATE_DIR",
		Detail:  map[string]any{"file_system": name},
	}
}
