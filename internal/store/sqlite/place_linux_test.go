package sqlite

import (
	"testing"

	"golang.org/x/sys/unix"

	"candor"
)

func TestNetworkFileSystemsAreRefused(t *testing.T) {
	for magic, want := range map[uint32]string{
		unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB", unix.CIFS_SUPER_MAGIC: "SMB",
		unix.FUSE_SUPER_MAGIC: "FUSE", unix.V9FS_MAGIC: "9P", unix.CEPH_SUPER_MAGIC: "Ceph", unix.AFS_SUPER_MAGIC: "AFS",
		unix.AFS_FS_MAGIC: "AFS", unix.CODA_SUPER_MAGIC: "Coda", unix.OCFS2_SUPER_MAGIC: "OCFS2",
	} {
		refused(t, remoteFault("/mnt/state", remoteName(magic)), candor.CodeUnsupported, "/mnt/state is on "+want, "--state DIR")
	}
	for _, magic := range []uint32{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC} {
		if err := remoteFault("/x", remoteName(magic)); err != nil {
			t.Errorf("a local file system is refused: %v", err)
		}
	}
}

func TestLinesOfKernelLocks(t *testing.T) {
	for line, want := range map[string]kernelLock{
		"1: POSIX  ADVISORY  WRITE 912 fe:00:123456 120 120": {pid: 912, inode: 123456, first: 120, last: 120},
		"2: POSIX  ADVISORY  WRITE 7 00:1b:9 0 EOF":          {pid: 7, inode: 9, last: 1<<64 - 1},
		"3: POSIX  ADVISORY  READ 912 fe:00:123456 123 123":  {},
		"3: -> POSIX  ADVISORY  WRITE 912 fe:00:12 120 120":  {},
		"4: FLOCK  ADVISORY  WRITE 912 fe:00:123456 0 EOF":   {},
		"5: OFDLCK ADVISORY  WRITE -1 fe:00:123456 0 0":      {},
		"6: POSIX  ADVISORY  WRITE -1 fe:00:123456 0 0":      {},
		"7: POSIX  ADVISORY  WRITE 9 x 0 0":                  {},
		"":                                                   {},
	} {
		got, ok := parseLock(line)
		if ok != (want.pid != 0) || (ok && got != want) {
			t.Errorf("%q: %+v, %v", line, got, ok)
		}
	}
}
