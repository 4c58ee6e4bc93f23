package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"candor"
	"candor/internal/record"
)

// within does work of an attempt that has no process of its own: orders about
// models, and prompts. It is overseen like a process: the brain's orders, the
// step's timeout and its no_progress end it. Whoever ended it has the last word,
// even over work that was done in the same moment.
func (w *worker) within(a *attempt, do func(context.Context) candor.Result) candor.Result {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	done, overseen := make(chan struct{}), make(chan *order, 1)
	w.helpers.Go(func() {
		w.guard("attempt", func() { overseen <- w.oversee(a, done, cancel) })
	})
	r := func() candor.Result {
		defer close(done)
		return do(ctx)
	}()
	if o := <-overseen; o != nil {
		r.Outcome, r.Reason = o.outcome, o.reason
	}
	return r
}

// errEnded is the cause with which an attempt's own work is ended.
var errEnded = errors.New("the attempt is being ended")

// oversee returns why it ended the attempt's work, or nil if that was done before.
func (w *worker) oversee(a *attempt, done <-chan struct{}, cancel context.CancelCauseFunc) *order {
	step := &a.spec.Step
	end := func(o order) *order {
		w.sayTask(slog.LevelWarn, lineEnding, a, fmt.Sprintf("Ending %s (%s): %s", short(a.Task), a.name(), o.reason.Text),
			slog.String(record.KeyReason, string(o.reason.Code)))
		cancel(errEnded)
		return &o
	}
	var timeout <-chan time.Time
	if step.Timeout > 0 {
		timeout = w.o.Clock.After(step.Timeout.D())
	}
	limit := step.NoProgress.D()
	for {
		var look <-chan time.Time
		if limit > 0 {
			look = w.o.Clock.After(max(quickest, min(w.o.Sample, limit/5)))
		}
		select {
		case <-done:
			return nil
		case o := <-a.orders:
			return end(o)
		case <-timeout:
			return end(order{outcome: candor.AttemptTimeout, reason: candor.NewReason(candor.ReasonTimeout,
				fmt.Sprintf("ran longer than its timeout of %s; %s", step.Timeout, w.last(a))).With("timeout", step.Timeout.String())})
		case <-look:
			p := a.progress.Load()
			if silent := w.o.Clock.Now().Sub(p.At); silent >= limit && !waits(p.Kind) {
				return end(order{outcome: candor.AttemptSilent, reason: candor.NewReason(candor.ReasonNoProgress,
					fmt.Sprintf("no progress for %s (limit %s): %s", candor.ShortDuration(silent), candor.ShortDuration(limit), w.last(a)))})
			}
		}
	}
}

// last says what was last seen of an attempt.
func (w *worker) last(a *attempt) string {
	p := a.progress.Load()
	text := fmt.Sprintf("last %s %s ago", or(p.Kind, "sign"), candor.ShortDuration(w.o.Clock.Now().Sub(p.At)))
	if p.Total > 0 {
		text += fmt.Sprintf(", %d of %d done", p.Done, p.Total)
	}
	return text
}

// Kinds of progress in which an attempt waits for something that is not its
// own: silence is no fault then.
const (
	kindSlot   = "slot"   // of the model server
	kindHeat   = "heat"   // the card is to cool
	kindResult = "result" // it has ended; the brain has not taken its result yet
	kindLoad   = "load"   // a model is being loaded
	kindUnload = "unload" // a model is to leave the memory
)

func waits(kind string) bool {
	return kind == kindSlot || kind == kindHeat || kind == kindLoad || kind == kindUnload
}

// tell publishes progress of an attempt's own work. An instant of zero is now.
func (w *worker) tell(a *attempt, p candor.Progress) {
	if p.At.IsZero() {
		p.At = w.o.Clock.Now()
	}
	a.progress.Store(&p)
}
