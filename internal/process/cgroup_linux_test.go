package process

import (
	"os"
	"strings"
	"testing"
)

// cgroupParent is a cgroup v2 folder in which these tests may make leaves, ""
// where there is none.
func cgroupParent(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	dir, ok := cgroupDir(string(own), string(mounts))
	if !ok {
		return ""
	}
	l, err := makeLeaf(dir)
	if err != nil {
		return ""
	}
	if err := l.remove(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Where the machine lends no cgroup, the same job must run and end as well
// without, and say so.
func TestCgroupHoldsWhatClearedItsName(t *testing.T) {
	parent := cgroupParent(t)
	spec := part(t, "leave-nameless")
	spec.Cgroup = parent
	if parent == "" {
		spec.Cgroup = t.TempDir()
	}
	p := start(t, spec)
	in := strings.HasPrefix(p.CgroupNote(), "cgroup v2 ")
	if in != (parent != "") {
		t.Errorf("parent %q, note %q", parent, p.CgroupNote())
	}
	dir := p.Record().Cgroup
	e := wait(t, p)
	assertEnded(t, leftPID(t, p))
	if len(e.Stragglers) != 1 || len(e.Survivors) != 0 {
		t.Errorf("exit %+v", e)
	}
	if in {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("leaf %s is still there: %v", dir, err)
		}
	}
}

func TestDetectCgroupSaysWhy(t *testing.T) {
	dir, note, ok := DetectCgroup()
	if note == "" || ok != (dir != "") {
		t.Errorf("dir %q, note %q, ok %v", dir, note, ok)
	}
}

func TestCgroupDir(t *testing.T) {
	const mounts = "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n30 23 0:27 / /proc rw - proc proc rw\n"
	const slice = "29 23 0:26 /pod/a /sys/fs/cgroup rw shared:9 - cgroup2 none rw\n"
	cases := []struct{ own, mounts, want string }{
		{"0::/user.slice/x.service\n", mounts, "/sys/fs/cgroup/user.slice/x.service"},
		{"4:memory:/a\n0::/\n", mounts, "/sys/fs/cgroup"},
		{"0::/pod/a/b\n", slice, "/sys/fs/cgroup/b"},
		{"0::/pod/other\n", slice, ""},
		{"4:memory:/a\n", mounts, ""},
	}
	for _, c := range cases {
		if got, ok := cgroupDir(c.own, c.mounts); got != c.want || ok != (c.want != "") {
			t.Errorf("cgroupDir(%q) = %q, %v, want %q", c.own, got, ok, c.want)
		}
	}
}
