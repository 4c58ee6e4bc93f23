package candor

import (
	"errors"
	"fmt"
)

// Code is what a program matches an error by. The list is closed; the HTTP
// status and the exit code of each stand in one table (httpapi, cli).
type Code string

// The codes of errors that reach a user.
const (
	CodeInternal     Code = "internal"     // ours: a bug or an unexpected fault
	CodeInvalid      Code = "invalid"      // the request cannot be meant: mend it
	CodeNotFound     Code = "not_found"    // no such batch, task or worker
	CodeAmbiguous    Code = "ambiguous"    // a prefix names several things
	CodeConflict     Code = "conflict"     // the state does not allow it, or the key is taken
	CodeStale        Code = "stale"        // a lease or session of former times: fenced
	CodeUnauthorized Code = "unauthorized" // no token, or an unknown one
	CodeForbidden    Code = "forbidden"    // the token's role is too small
	CodeTooLarge     Code = "too_large"    // over a stated limit
	CodeUnavailable  Code = "unavailable"  // the brain cannot be reached or is stopping
	CodeRetry        Code = "retry"        // try again later: reloading, busy
	CodeStoreFull    Code = "store_full"   // no room on the state's disk
	CodeStoreBusy    Code = "store_busy"   // somebody holds the store's lock
	CodeLocked       Code = "locked"       // another brain leads this state directory
	CodePortTaken    Code = "port_taken"   // the address is held by another program
	CodeUnplaceable  Code = "unplaceable"  // no worker could ever take it
	CodeTimeout      Code = "timeout"      // the given time ran out
	CodeUnsupported  Code = "unsupported"  // not on this platform or file system
	CodeInterrupted  Code = "interrupted"  // by a signal or the caller
)

// Error is an error that knows its reader: what happened, what to try, and why.
type Error struct {
	Code    Code           `json:"code"`
	Message string         `json:"message"`
	Hint    string         `json:"hint,omitempty"`   // what to try next, ideally a command
	Detail  map[string]any `json:"detail,omitempty"` // operands, for programs
	Cause   error          `json:"-"`
}

// Error is the message with its cause; the hint is for the outermost printer.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is lets errors.Is match by code against an Error that has nothing but a code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Message == "" && t.Code == e.Code
}

// Errorf makes an Error without a hint.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of the first Error in err's chain, else CodeInternal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
