package worker

import (
	"errors"

	"candor/internal/modelhost"
	"candor/internal/runtime"
)

// outcomeOf is what a row's end says about the model server.
func outcomeOf(err error) modelhost.Outcome {
	e, ok := errors.AsType[*runtime.Error](err)
	switch {
	case err == nil:
		return modelhost.Served
	case !ok:
		return modelhost.Unused // the caller left
	case e.Code == runtime.CodeBusy:
		return modelhost.Busy
	case e.Code.Scope() == runtime.ScopeRow:
		return modelhost.Served // it answered, whatever the answer was worth
	}
	return modelhost.Faulted
}
