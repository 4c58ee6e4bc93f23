package worker

import (
	"context"
	"errors"
	"strconv"
)

// Run is the worker's whole life. It returns nil after a shutdown that was
// asked for, an *Error with CodeLocked when another process is this worker on
// this state directory, and CodeInternal when the worker crashed; the crash is
// logged and told to the brain by then, and nothing it started is left.
func Run(ctx context.Context, o Options) error {
	_, err := o.withDefaults()
	if err != nil {
		return err
	}
	return errors.New("worker: not built yet")
}

func quote(s string) string { return strconv.Quote(s) }
