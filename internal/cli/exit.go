package cli

import (
	"errors"
	"os"
	"syscall"

	"candor"
)

// The exit codes. Others are a task's business (75, 78), not candor's.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitTasksFailed = 3
	exitCancelled   = 4
	exitUnplaceable = 5
	exitUnreachable = 69  // EX_UNAVAILABLE of sysexits.h
	exitLater       = 75  // EX_TEMPFAIL
	exitNotAllowed  = 77  // EX_NOPERM
	exitTimeout     = 124 // as timeout(1)
	exitInterrupted = 130 // 128 + INT
	exitTerminated  = 143 // 128 + TERM
)

// exits is the table from error codes to exit codes.
func exits() map[candor.Code]int {
	return map[candor.Code]int{
		candor.CodeInternal:     exitInternal,
		candor.CodeInvalid:      exitUsage,
		candor.CodeNotFound:     exitUsage,
		candor.CodeAmbiguous:    exitUsage,
		candor.CodeConflict:     exitUsage,
		candor.CodeStale:        exitInternal,
		candor.CodeUnauthorized: exitNotAllowed,
		candor.CodeForbidden:    exitNotAllowed,
		candor.CodeTooLarge:     exitUsage,
		candor.CodeUnavailable:  exitUnreachable,
		candor.CodeRetry:        exitLater,
		candor.CodeStoreFull:    exitLater,
		candor.CodeStoreBusy:    exitLater,
		candor.CodeLocked:       exitLater,
		candor.CodePortTaken:    exitLater,
		candor.CodeUnplaceable:  exitUnplaceable,
		candor.CodeTimeout:      exitTimeout,
		candor.CodeUnsupported:  exitUsage,
		candor.CodeInterrupted:  exitInterrupted,
	}
}

// outcome is an error that is none: the verb did what it was asked to, and the
// answer on stdout says it all, but a script must see how it ended.
type outcome struct{ code int }

func (o *outcome) Error() string { return "see the answer" }

func isOutcome(err error) bool {
	_, ok := errors.AsType[*outcome](err)
	return ok
}

// interrupted is why a verb ended that a signal stopped.
type interrupted struct{ signal os.Signal }

func (i *interrupted) Error() string {
	if i.signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

// exitCode is the program's answer to the shell.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if o, ok := errors.AsType[*outcome](err); ok {
		return o.code
	}
	if i, ok := errors.AsType[*interrupted](err); ok {
		if i.signal == syscall.SIGTERM {
			return exitTerminated
		}
		return exitInterrupted
	}
	if code, ok := exits()[candor.CodeOf(err)]; ok {
		return code
	}
	return exitInternal
}

// ended turns the outcome of a batch into a verb's result.
func ended(o candor.Outcome) error {
	switch o {
	case candor.OutcomeFailed:
		return &outcome{exitTasksFailed}
	case candor.OutcomeCancelled:
		return &outcome{exitCancelled}
	default:
		return nil
	}
}
