package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"modernc.org/sqlite"

	"candor"
)

// Primary result codes of SQLite (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteIOErr      = 10
	sqliteCorrupt    = 11
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteConstraint = 19
	sqliteNotADB     = 26

	// Extended codes of a key that is there already.
	constraintPrimaryKey = sqliteConstraint | 6<<8
	constraintUnique     = sqliteConstraint | 8<<8
	constraintRowID      = sqliteConstraint | 10<<8
)

// code is SQLite's extended result code; 0 if err is none of SQLite's.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// primary is SQLite's result code without its extension.
func primary(err error) int { return code(err) & 0xff }

// fault gives an error of SQLite or the system the code its reader matches by.
// An error that has one already keeps it.
func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*candor.Error](err); ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	e := &candor.Error{Code: candor.CodeInternal, Message: doing, Cause: err}
	switch primary(err) {
	case sqliteFull:
		full(e)
	case sqliteBusy, sqliteLocked:
		e.Code, e.Hint = candor.CodeStoreBusy, "another program works on the store's file; candor doctor names it"
	case sqliteCorrupt, sqliteNotADB:
		e.Message += ": the store's file is damaged"
		e.Hint = "stop the brain, keep a copy of the state directory, and restore a backup or run: sqlite3 candor.db .recover"
	case sqliteReadOnly, sqliteCantOpen:
		e.Hint = "check owner and mode of the state directory"
	case sqliteIOErr:
		e.Hint = "the disk of the state directory does not read or write: see dmesg"
	case sqliteConstraint:
		constraint(e, err)
	default:
		system(e, err)
	}
	return e
}

func full(e *candor.Error) {
	e.Code, e.Message = candor.CodeStoreFull, e.Message+": no room on the disk of the state directory"
	e.Hint = "make room there; nothing is lost, and work goes on by itself"
}

// constraint tells a key that is taken, which is a matter between callers, from
// a row against the law, which is our own fault.
func constraint(e *candor.Error, err error) {
	switch code(err) {
	case constraintPrimaryKey, constraintUnique, constraintRowID:
		e.Code, e.Message = candor.CodeConflict, e.Message+": there is one already"
	default:
		e.Message += ": the store refuses a state that may not exist"
		e.Hint = "this is a fault of candor: please report it with the output of candor doctor"
	}
}

func system(e *candor.Error, err error) {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Code = candor.CodeInterrupted
	case errors.Is(err, syscall.ENOSPC):
		full(e)
	case errors.Is(err, os.ErrPermission):
		e.Code, e.Hint = candor.CodeForbidden, "check owner and mode of the state directory"
	}
}

// busyFault says that a write lock could not be had, and who holds it.
func busyFault(file string, waited time.Duration, who string, cause error) error {
	e := &candor.Error{
		Code:    candor.CodeStoreBusy,
		Message: fmt.Sprintf("%s is locked for %s", file, candor.ShortDuration(waited)),
		Hint:    "end the program that holds it, or wait: nothing is lost",
		Cause:   cause,
	}
	if who != "" {
		e.Message += " by " + who
		e.Detail = map[string]any{"holder": who}
	}
	return e
}
