//go:build !linux

package process

import (
	"errors"
	"os"
	"os/exec"
)

const rusageUnit = 1 // Darwin counts ru_maxrss in bytes

// BecomeSubreaper makes orphaned descendants children of this process instead
// of init's (Linux only).
func BecomeSubreaper() error { return errors.ErrUnsupported }

// DetectCgroup finds nothing here: cgroups are Linux's.
func DetectCgroup() (dir, note string, ok bool) {
	return "", "cgroups exist on Linux only", false
}

type leaf struct{ dir string }

func makeLeaf(string) (*leaf, error) { return nil, errors.ErrUnsupported }

func (*leaf) admit(*exec.Cmd) (*os.File, error) { return nil, errors.ErrUnsupported }

func (*leaf) kill() error        { return nil }
func (*leaf) pids() map[int]bool { return nil }
func (*leaf) remove() error      { return nil }

func readOOM(*leaf) oomCount { return oomCount{} }

// awaitMain returns when the process has ended. It is reaped by that: for the
// moments until its stragglers are gone, the group's number is ours only
// because systems give numbers out in turn.
func awaitMain(cmd *exec.Cmd) {
	_ = cmd.Wait() // its error repeats the state
}
