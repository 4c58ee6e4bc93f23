package worker

import (
	"errors"
	"slices"
	"syscall"
)

// ofTheTask marks what went wrong with the outputs themselves on their way into
// place: another try on the same host may find the same.
type ofTheTask struct{ error }

func (e ofTheTask) Unwrap() error { return e.error }

// hostFault tells whether outputs could not be put in place for a reason that
// is the host's: its disk is full, broken or away, or the folder is not ours to
// write. All else is the task's own, and counts as its failure.
func hostFault(err error) bool {
	if _, own := errors.AsType[ofTheTask](err); !own {
		return true
	}
	return ofTheHost(err)
}

// ofTheHost tells the errors of a system that has no more of something, or whose
// disk fails: open(2), write(2), fork(2).
func ofTheHost(err error) bool {
	all := []error{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.ESTALE, syscall.ENODEV, syscall.ENXIO,
		syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.ETIMEDOUT,
	}
	return slices.ContainsFunc(all, func(e error) bool { return errors.Is(err, e) })
}
