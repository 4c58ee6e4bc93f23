package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// DetectCgroup finds the cgroup v2 folder delegated to this process, for
// Spec.Cgroup. ok is false where there is none, and note says why or which.
//
// Delegated means: systemd marked our own cgroup so (Delegate=yes), or it
// belongs to our unprivileged user. Root may write anywhere, so being able to
// is no permission.
func DetectCgroup() (dir, note string, ok bool) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", fmt.Sprintf("no cgroup: %v", err), false
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Sprintf("no cgroup: %v", err), false
	}
	dir, found := cgroupDir(string(own), string(mounts))
	if !found {
		return "", "no cgroup: no cgroup v2 mount holds this process", false
	}
	if !delegated(dir) {
		return "", "no cgroup: " + dir + " is not delegated to us (systemd: Delegate=yes)", false
	}
	l, err := makeLeaf(dir)
	if err != nil {
		return "", fmt.Sprintf("no cgroup: %v", err), false
	}
	if err := l.remove(); err != nil {
		return "", fmt.Sprintf("no cgroup: %v", err), false
	}
	return dir, "cgroup v2 " + dir, true
}

// cgroupDir joins the v2 line of /proc/self/cgroup with its mount point from
// /proc/self/mountinfo (fields: proc_pid_mountinfo(5)).
func cgroupDir(own, mountinfo string) (string, bool) {
	path, found := "", false
	for line := range strings.Lines(own) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			path, found = rest, true
		}
	}
	if !found {
		return "", false
	}
	for line := range strings.Lines(mountinfo) {
		left, right, _ := strings.Cut(line, " - ")
		f := strings.Fields(left)
		if len(f) < 5 || !strings.HasPrefix(right, "cgroup2 ") {
			continue
		}
		if rel, err := filepath.Rel(f[3], path); err == nil && !strings.HasPrefix(rel, "..") {
			return filepath.Join(f[4], rel), true
		}
	}
	return "", false
}

func delegated(dir string) bool {
	for _, attr := range []string{"user.delegate", "trusted.delegate"} {
		b := make([]byte, 8)
		if n, err := unix.Getxattr(dir, attr, b); err == nil && string(b[:n]) == "1" {
			return true
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Geteuid() != 0 && int(st.Uid) == os.Geteuid()
}

// leaf is the cgroup of one child.
type leaf struct{ dir string }

func makeLeaf(parent string) (*leaf, error) {
	dir, err := os.MkdirTemp(parent, "candor-")
	if err != nil {
		return nil, fmt.Errorf("make cgroup: %w", err)
	}
	l := &leaf{dir: dir}
	if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
		_ = l.remove()
		return nil, fmt.Errorf("make cgroup: %s is no cgroup folder: %w", parent, err)
	}
	return l, nil
}

// admit makes cmd start inside the leaf, from its first instruction on. The
// returned folder stays open until the command has started.
func (l *leaf) admit(cmd *exec.Cmd) (*os.File, error) {
	f, err := os.Open(l.dir)
	if err != nil {
		return nil, fmt.Errorf("open cgroup: %w", err)
	}
	cmd.SysProcAttr.UseCgroupFD = true
	cmd.SysProcAttr.CgroupFD = int(f.Fd())
	return f, nil
}

// kill ends everything in the leaf at once (kernel 5.14 and later; before, the
// members are killed one by one like all others).
func (l *leaf) kill() error {
	return os.WriteFile(filepath.Join(l.dir, "cgroup.kill"), []byte("1"), 0)
}

func (l *leaf) pids() map[int]bool {
	b, err := os.ReadFile(filepath.Join(l.dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	pids := make(map[int]bool)
	for line := range strings.Lines(string(b)) {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			pids[pid] = true
		}
	}
	return pids
}

func (l *leaf) remove() error { return os.Remove(l.dir) }

// readOOM reads the counts of OOM kills: the leaf's own where the memory
// controller is on, and the whole host's.
func readOOM(l *leaf) oomCount {
	var c oomCount
	if l != nil {
		c.leaf, c.leafKnown = counter(filepath.Join(l.dir, "memory.events"), "oom_kill")
	}
	c.host, c.hostKnown = counter("/proc/vmstat", "oom_kill")
	return c
}

func counter(file, name string) (int64, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), " "); ok && k == name {
			n, err := strconv.ParseInt(v, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
