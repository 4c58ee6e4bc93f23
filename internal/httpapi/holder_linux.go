package httpapi

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tcpListen is the state of a listening socket in /proc/net/tcp (TCP_LISTEN).
const tcpListen = "0A"

// portHolder finds who listens on a TCP port of this machine: the socket's
// inode from /proc/net, then the process that has it open. Processes of other
// users cannot be looked into; then it is not known.
func portHolder(port int) (pid int, program string, ok bool) {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for _, inode := range listeners(string(data), port) {
			if pid, ok := inodeHolder(inode); ok {
				return pid, programOf(pid), true
			}
		}
	}
	return 0, "", false
}

// listeners reads the inodes of sockets listening on port. A line reads
//
//	sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
func listeners(table string, port int) []string {
	const local, state, inode = 1, 3, 9
	suffix := fmt.Sprintf(":%04X", port)
	var found []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) > inode && strings.HasSuffix(f[local], suffix) && f[state] == tcpListen {
			found = append(found, f[inode])
		}
	}
	return found
}

func inodeHolder(inode string) (int, bool) {
	want := "socket:[" + inode + "]"
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, false
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == want {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			return pid, err == nil
		}
	}
	return 0, false
}

func programOf(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(name))
}

// socketHolder asks the kernel who made the socket at the other end.
func socketHolder(conn *net.UnixConn) (pid int, program string, ok bool) {
	cred, ok := peerOf(conn)
	if !ok || cred.Pid <= 0 {
		return 0, "", false
	}
	return int(cred.Pid), programOf(int(cred.Pid)), true
}

// socketUser asks the kernel whose process the other end is.
func socketUser(conn *net.UnixConn) (uid string, ok bool) {
	cred, ok := peerOf(conn)
	if !ok {
		return "", false
	}
	return strconv.FormatUint(uint64(cred.Uid), 10), true
}

func peerOf(conn *net.UnixConn) (*unix.Ucred, bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, false
	}
	var cred *unix.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return cred, err == nil && asked == nil && cred != nil
}
