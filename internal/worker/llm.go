package worker

import (
	"context"
	"fmt"
	"log/slog"

	"candor"
	"candor/internal/modelhost"
)

// keepServer keeps the model server for as long as the worker lives.
func (w *worker) keepServer(ctx context.Context) {
	if err := w.o.Models.Run(ctx); err != nil {
		w.say(slog.LevelError, lineModel, "The model server could not be kept: "+err.Error())
	}
}

// want is the model that an attempt's step asks for.
func want(step *candor.Step) modelhost.Want {
	return modelhost.Want{Model: step.Model, Accept: step.Accept, Context: step.Context}
}

// withModel runs the command of an llm task, which holds one of the model
// server's slots for as long as it runs.
func (w *worker) withModel(a *attempt) candor.Result {
	before := w.o.Models.Serving()
	r := w.within(a, func(ctx context.Context) candor.Result {
		loan, err := w.o.Models.Borrow(ctx, want(&a.spec.Step), func(p candor.Progress) { w.tell(a, p) })
		if err != nil {
			outcome, reason := verdict(err)
			return candor.Result{Outcome: outcome, Reason: reason}
		}
		a.loan = loan
		return candor.Result{Outcome: candor.AttemptDone}
	})
	if a.loan == nil {
		return r
	}
	outcome := modelhost.Unused // a command's failure says nothing about the server
	defer func() { a.loan.Return(outcome) }()
	if r.Outcome != candor.AttemptDone {
		return r
	}
	r = w.command(a)
	switch r.Outcome {
	case candor.AttemptDone:
		outcome = modelhost.Served
	case candor.AttemptFailed, candor.AttemptSilent:
		w.excuse(&r, before)
	}
	return r
}

// excuse takes the blame off a command whose model server fell under it.
func (w *worker) excuse(r *candor.Result, before candor.Serving) {
	now := w.o.Models.Serving()
	if now.State == candor.ServerUp && now.Restarts == before.Restarts {
		return
	}
	r.Outcome = candor.AttemptTransient
	r.Reason = candor.NewReason(or(now.Code, candor.ReasonServerGone), fmt.Sprintf("the model server fell while it ran (%s): %s", or(now.Text, string(now.State)), r.Reason.Text))
}

// modelEnv tells a command where its model answers.
func modelEnv(env map[string]string, a *attempt) {
	if a.loan == nil {
		return
	}
	env["CANDOR_MODEL"] = a.loan.Model
	env["CANDOR_MODEL_URL"] = a.loan.URL
	if a.loan.Digest != "" {
		env["CANDOR_MODEL_DIGEST"] = a.loan.Digest
	}
	env["CANDOR_MODEL_CONTEXT"] = fmt.Sprint(a.loan.Settings.Context)
}
