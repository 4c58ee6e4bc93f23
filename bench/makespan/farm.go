package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"candor"
	"candor/internal/sched"
)

// farm drives candor's core over a rig: workers that register, claim, report
// and carry out orders as real ones do, without latency in between.
type farm struct {
	*rig

	state   *sched.State
	workers []*worker
	waiting []*worker // whose claims are held, the oldest first
	ready   int64     // sched.State.Ready when held claims were last tried
	events  io.Writer // nil: nobody listens
}

var epoch = time.Date(2026, 1, 1, 21, 0, 0, 0, time.UTC)

// runCandor plays a night by the rules of candor's core.
func runCandor(in *instance, cfg sched.Config, events io.Writer) (*rig, error) {
	f := &farm{rig: newRig(in), state: sched.New(cfg, &sched.Snapshot{}), events: events}
	f.happens(0, f.tick)
	for _, g := range f.gpus {
		w := newWorker(f, g)
		f.workers = append(f.workers, w)
		f.happens(g.spec.joins, w.register)
		if g.spec.dies > 0 {
			f.happens(g.spec.dies, w.fall)
		}
	}
	for _, r := range runs(in.tasks) {
		f.happens(in.tasks[r.first].at, func() error { return f.submit(r) })
	}
	err := f.play()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, f.whyStuck())
	}
	return f.rig, err
}

// happens puts something on the agenda, after which claims that were held get
// what they can have now.
func (f *farm) happens(at time.Duration, do func() error) {
	f.at(at, func() error {
		if err := do(); err != nil {
			return err
		}
		return f.tryHeld()
	})
}

// apply lets the core decide, and takes its changes as a brain does.
func (f *farm) apply(cmd sched.Command) (any, error) {
	reply, err := f.state.Apply(epoch.Add(f.now), cmd)
	if c := f.state.Take(); c != nil && f.events != nil {
		for i := range c.Events {
			f.tell(&c.Events[i])
		}
	}
	return reply, err
}

// tell prints what is not told of each task.
func (f *farm) tell(e *candor.Event) {
	switch e.Code {
	case candor.EventBatchSubmitted, candor.EventBatchComplete:
		return
	case candor.EventTaskClaimed, candor.EventTaskComplete:
		if e.Class != candor.ClassResource {
			return
		}
	}
	fmt.Fprintf(f.events, "%10s %-5s %s\n", f.now.Round(time.Second), e.Level, e.Text)
}

// together are tasks that are submitted one after the other, at one instant, and
// want the same model.
type together struct{ first, next int }

func runs(tasks []task) []together {
	var all []together
	for i, t := range tasks {
		if n := len(all); n > 0 && tasks[i-1].model == t.model && tasks[i-1].at == t.at {
			all[n-1].next++
			continue
		}
		all = append(all, together{i, i + 1})
	}
	return all
}

// submit makes a batch of such tasks.
func (f *farm) submit(r together) error {
	items := make([]json.RawMessage, 0, r.next-r.first)
	for t := r.first; t < r.next; t++ {
		items = append(items, json.RawMessage(strconv.Itoa(t)))
	}
	model := f.in.models[f.in.tasks[r.first].model].name
	_, err := f.apply(sched.Submit{Sub: candor.Submission{Name: "night", Steps: []candor.Step{{
		Name: "topics", Class: candor.ClassLLM, Model: model, Run: "topics", Retries: 3, Each: &candor.Each{Items: items},
	}}}})
	return err
}

// tick lets the core's time pass, as the brain's loop does.
func (f *farm) tick() error {
	f.happens(f.now+time.Second, f.tick)
	_, err := f.apply(sched.Tick{})
	return err
}

// tryHeld is what the brain does after each round of commands.
func (f *farm) tryHeld() error {
	for f.state.Ready() != f.ready {
		f.ready = f.state.Ready()
		if !f.state.Claimable() {
			return nil
		}
		for _, w := range slices.Clone(f.waiting) {
			if err := w.again(); err != nil {
				return err
			}
		}
	}
	return nil
}

// whyStuck is what the core says of those who idle.
func (f *farm) whyStuck() string {
	reply, err := f.apply(sched.Workers{})
	if err != nil {
		return err.Error()
	}
	text := ""
	for _, w := range reply.([]candor.Worker) {
		if w.Reason != nil {
			text += w.Name + ": " + w.Reason.Text + "; "
		}
	}
	return text
}
