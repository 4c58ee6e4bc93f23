package process

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names of environment variables that this package reads or sets.
const (
	// EnvLease carries an attempt's fencing number, the usual part of a mark.
	EnvLease = "CANDOR_LEASE"
	// EnvProgressFile names the file to which a job appends its progress.
	EnvProgressFile = "CANDOR_PROGRESS_FILE"
)

// What a Spec's zero values stand for.
const (
	DefaultLogLimit  = 16 << 20        // bytes on disk, half for the head, half for the tail
	DefaultTailLimit = 8 << 10         // bytes kept in memory for results
	DefaultDrain     = 2 * time.Second // patience with stragglers
)

// Clock tells the time and waits; internal/clock's satisfies it.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Spec says what to start. Stdin is empty.
type Spec struct {
	// Argv is the command. Argv[0] without a slash is looked up in Env's PATH;
	// one that is relative with a slash is relative to Dir.
	Argv []string
	// Dir is the working directory; it must exist.
	Dir string
	// Env is the whole environment, as KEY=value. Nothing is inherited; only
	// Mark and ProgressFile are added.
	Env []string
	// Mark holds KEY=value entries that no other process on this host shares,
	// put into the environment to find descendants that left the session. A
	// lease number alone is unique per brain, not per host: add the task id.
	Mark []string
	// Log is the output file, created or emptied; while it is longer than half
	// of LogLimit, its newest part is in Log+".tail". Empty: memory only.
	Log string
	// LogLimit bounds the bytes kept on disk, 0 means DefaultLogLimit.
	LogLimit int64
	// TailLimit bounds the bytes kept in memory, 0 means DefaultTailLimit.
	TailLimit int
	// ProgressFile is given to the job as CANDOR_PROGRESS_FILE when not empty.
	ProgressFile string
	// WatchDir is the folder whose growth Sample measures; empty: none.
	WatchDir string
	// Cgroup is a delegated cgroup v2 folder (see DetectCgroup) in which the
	// child gets a leaf of its own. Empty: none. A leaf that cannot be made is
	// no failure: Process.CgroupNote says why.
	Cgroup string
	// Tied makes the main process end by KILL with the process that started it,
	// where the system can (Linux). What has not become its command yet carries
	// no mark: nobody who looks for it after its parent's death would find it.
	Tied bool
	// Family is of which the process becomes a member; nil: none.
	Family *Family
	// Lasting says that it is no job, but lasts while jobs come and go: orphans
	// that do not belong to it, and began after it did, are not taken for its own.
	Lasting bool
	// Leads says that the process itself ends what it starts, as a worker does:
	// TERM goes to it alone. What it has just forked leads no session of its own
	// yet, and would be hit with it, by nobody who could say so.
	Leads bool
	// Drain is how long descendants may outlive the main process before they
	// are killed, 0 means DefaultDrain.
	Drain time.Duration
}

func (s Spec) withDefaults() Spec {
	if s.LogLimit <= 0 {
		s.LogLimit = DefaultLogLimit
	}
	if s.TailLimit <= 0 {
		s.TailLimit = DefaultTailLimit
	}
	if s.Drain <= 0 {
		s.Drain = DefaultDrain
	}
	return s
}

// check refuses what would make membership meaningless.
func (s Spec) check() error {
	if len(s.Argv) == 0 || s.Argv[0] == "" {
		return errors.New("start process: empty command")
	}
	if !soundMark(s.Mark) {
		return fmt.Errorf("start process: mark %q: every entry is KEY=value", s.Mark)
	}
	return nil
}

// soundMark guards against a mark that half the host would carry.
func soundMark(mark []string) bool {
	return !slices.ContainsFunc(mark, func(m string) bool {
		k, v, _ := strings.Cut(m, "=")
		return k == "" || v == ""
	})
}

// environ is Env with Mark and ProgressFile laid over it.
func (s Spec) environ() []string {
	extra := append([]string(nil), s.Mark...)
	if s.ProgressFile != "" {
		extra = append(extra, EnvProgressFile+"="+s.ProgressFile)
	}
	taken := make(map[string]bool, len(extra))
	for _, e := range extra {
		taken[key(e)] = true
	}
	env := make([]string, 0, len(s.Env)+len(extra))
	for _, e := range s.Env {
		if !taken[key(e)] {
			env = append(env, e)
		}
	}
	return append(env, extra...)
}

func key(entry string) string {
	k, _, _ := strings.Cut(entry, "=")
	return k
}

// lookPath finds Argv[0] by the child's PATH, not by ours.
func (s Spec) lookPath() (string, error) {
	name := s.Argv[0]
	if strings.ContainsRune(filepath.ToSlash(name), '/') {
		return name, nil
	}
	var path string
	for _, e := range s.Env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			path = v
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("start process: %q in the job's PATH %q: %w", name, path, exec.ErrNotFound)
}
