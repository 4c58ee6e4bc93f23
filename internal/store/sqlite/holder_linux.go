package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// walWriteLock is the byte of the -shm file that a writer locks
// (sqlite.org/walformat.html).
const walWriteLock = 120

// lockHolder names who holds the write lock of a database, as far as the
// kernel tells; empty if it does not.
func lockHolder(file string) string {
	shm, main := inode(file+"-shm"), inode(file)
	f, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		l, ok := parseLock(lines.Text())
		if !ok || l.pid == os.Getpid() {
			continue
		}
		// Whoever locks the database file itself for writing keeps everybody out.
		if (l.inode == shm && l.first <= walWriteLock && walWriteLock <= l.last) || l.inode == main {
			return program(l.pid)
		}
	}
	return ""
}

// kernelLock is a line of /proc/locks.
type kernelLock struct {
	pid         int
	inode       uint64
	first, last uint64
}

// parseLock reads a held write lock:
//
//	1: POSIX  ADVISORY  WRITE 912 fe:00:123456 120 120
func parseLock(line string) (l kernelLock, ok bool) {
	f := strings.Fields(line)
	if len(f) != 8 || f[1] != "POSIX" || f[3] != "WRITE" {
		return l, false
	}
	var err error
	if l.pid, err = strconv.Atoi(f[4]); err != nil || l.pid <= 0 {
		return l, false
	}
	device := strings.Split(f[5], ":")
	if l.inode, err = strconv.ParseUint(device[len(device)-1], 10, 64); err != nil {
		return l, false
	}
	if l.first, err = strconv.ParseUint(f[6], 10, 64); err != nil {
		return l, false
	}
	if f[7] == "EOF" {
		l.last = 1<<64 - 1
		return l, true
	}
	l.last, err = strconv.ParseUint(f[7], 10, 64)
	return l, err == nil
}

func inode(file string) uint64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// program is "pid 912 (sqlite3)".
func program(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("pid %d (%s)", pid, strings.TrimSpace(string(name)))
}
