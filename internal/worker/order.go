package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"candor"
	"candor/internal/runtime"
)

// carryOut performs an order about a model.
func (w *worker) carryOut(a *attempt) candor.Result {
	if w.o.Models == nil {
		return candor.Result{Outcome: candor.AttemptPermanent,
			Reason: candor.NewReason(candor.ReasonWrongClass, w.o.Name+" has no model server to carry out orders with")}
	}
	order := *a.spec.Step.Order
	return w.within(a, func(ctx context.Context) candor.Result {
		did, err := w.o.Models.Do(ctx, order, func(p candor.Progress) { w.tell(a, p) })
		r := candor.Result{Outcome: candor.AttemptDone, Order: &did}
		if err != nil {
			r.Outcome, r.Reason = verdict(err)
		}
		w.tellOrder(a, order, r)
		return r
	})
}

// tellOrder is the line about what an order did to the model server.
func (w *worker) tellOrder(a *attempt, order candor.Order, r candor.Result) {
	if r.Outcome != candor.AttemptDone {
		return // tellEnd says why
	}
	text := fmt.Sprintf("%s %s: in memory before [%s], after [%s]", order.Kind, order.Model, names(r.Order.Before), names(r.Order.After))
	if !r.Order.Changed {
		text += "; nothing has changed"
	}
	w.sayTask(slog.LevelInfo, lineModel, a, text)
}

func names(models []candor.ServedModel) string {
	var all []string
	for _, m := range models {
		all = append(all, m.Name)
	}
	return strings.Join(all, ", ")
}

// verdict turns a model server's fault into how the attempt ended: what passes
// by itself is not counted against the task.
func verdict(err error) (candor.AttemptOutcome, *candor.Reason) {
	e, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		if errors.Is(err, context.Canceled) {
			return candor.AttemptAborted, candor.NewReason(candor.ReasonAborting, "it was ended before it was done")
		}
		return candor.AttemptFailed, candor.NewReason(candor.ReasonServerFault, err.Error())
	}
	reason := candor.NewReason(candor.ReasonCode(e.Code), e.Error())
	for key, value := range e.Detail {
		reason.With(key, fmt.Sprint(value))
	}
	if e.Code.Passes() {
		return candor.AttemptTransient, reason
	}
	return candor.AttemptFailed, reason
}
