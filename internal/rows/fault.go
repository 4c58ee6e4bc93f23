package rows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"candor"
	"candor/internal/runtime"
)

// How a row bears faults that may pass, before its attempt is given up.
const (
	againAfterFault = 2 // further requests after faults that pass
	againAfterError = 1 // after an error of the server's own that says nothing more
	waitFault       = time.Second
	waitBusy        = 250 * time.Millisecond // doubles with each time in a row
	waitMost        = 8 * time.Second
	// busyPatience is how long a server may turn a row away. It is not counted,
	// so it has an end: another worker's may have room.
	busyPatience = 10 * time.Minute
)

// trouble is what one row has met with so far.
type trouble struct {
	faults int // that pass
	errors int // of the server's own
	busy   int // times in a row
	since  time.Time
}

// bear decides what follows from a request's error. With nil the row either has
// its own error now, or has waited and is to be asked again; any other error
// ends the attempt.
func (r *run) bear(ctx context.Context, w *row, t *trouble, answer string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		return &Error{candor.AttemptFailed, candor.NewReason(candor.ReasonServerFault, clip(err.Error(), maxText))}
	}
	if e.Code == runtime.CodeBusy {
		return r.bearBusy(ctx, t, e)
	}
	t.busy = 0
	if e.Code.Scope() == runtime.ScopeRow {
		if e.Code == runtime.CodeServerFault && t.errors < againAfterError {
			t.errors++
			return r.pause(ctx, waitFault, e)
		}
		w.failBy(e, answer)
		return nil
	}
	if passesSoon(e.Code) && t.faults < againAfterFault {
		t.faults++
		return r.pause(ctx, backoff(waitFault, t.faults), e)
	}
	if _, only := errors.AsType[quiet](err); only {
		w.failBy(unbegun(r.Step.Model, r.Step.LLM.Deadline, t.faults+1, e), answer)
		return nil
	}
	return ended(e)
}

// bearBusy waits for a server that turns rows away, which is never counted.
func (r *run) bearBusy(ctx context.Context, t *trouble, e *runtime.Error) error {
	now := r.Clock.Now()
	if t.busy == 0 {
		t.since = now
	}
	t.busy++
	if now.Sub(t.since) > busyPatience {
		return ended(e)
	}
	return r.pause(ctx, backoff(waitBusy, t.busy), e)
}

// passesSoon tells whether a fault may be over within seconds. A loan that was
// refused since its model loads, or will not leave, has waited long already.
func passesSoon(code runtime.Code) bool {
	return code.Passes() && code != runtime.CodeLoading && code != runtime.CodeHeld
}

// backoff doubles a wait with each time.
func backoff(first time.Duration, times int) time.Duration {
	return min(waitMost, first<<min(times-1, 10))
}

func (r *run) pause(ctx context.Context, d time.Duration, e *runtime.Error) error {
	r.tell.waits(candor.Progress{Note: fmt.Sprintf("asks again in %s: %s", candor.ShortDuration(d), clip(e.Error(), maxText))})
	return r.Clock.Sleep(ctx, d)
}

// unbegun is the row's own error when nothing came of it within its time, each
// time it was asked, while the server was well.
func unbegun(model string, deadline candor.Duration, tries int, cause error) *runtime.Error {
	return &runtime.Error{Code: runtime.CodeRunaway, Cause: cause,
		Text:   fmt.Sprintf("model %s has not begun its answer within the row's deadline of %s, %d times", model, deadline, tries),
		Detail: map[string]any{runtime.DetailModel: model, runtime.DetailRule: runtime.RuleDeadline, runtime.DetailWanted: deadline.D(), runtime.DetailTokens: 0}}
}

// ended is the attempt's end by a fault of the model or its server: not counted
// if it passes.
func ended(e *runtime.Error) *Error {
	outcome := candor.AttemptFailed
	if e.Code.Passes() {
		outcome = candor.AttemptTransient
	}
	return &Error{outcome, reasonOf(e)}
}

// reasonOf is a fault as a reason: codes of both have the same names.
func reasonOf(e *runtime.Error) *candor.Reason {
	return operands(candor.NewReason(candor.ReasonCode(e.Code), clip(e.Error(), maxText)), e)
}

// operands adds a fault's numbers to a reason.
func operands(reason *candor.Reason, e *runtime.Error) *candor.Reason {
	if e == nil {
		return reason
	}
	for key, value := range e.Detail {
		switch v := value.(type) {
		case time.Duration:
			value = candor.Duration(v)
		case string:
			value = clip(v, maxText)
		}
		reason.With(key, value)
	}
	return reason
}
