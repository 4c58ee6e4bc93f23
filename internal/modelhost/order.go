package modelhost

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"candor"
	"candor/internal/record"
	"candor/internal/runtime"
)

// work is an order under way. Guarded by the host's mu.
type work struct {
	order candor.Order
	began time.Time
}

// job is an order with what it takes to carry it out.
type job struct {
	h     *Host
	l     *life
	order candor.Order
	name  string // of its model, by candor.ModelName
	tell  func(candor.Progress)
	took  time.Duration // of the load itself, by the server's own measure
}

// Do carries out an order. tell, which may be nil, hears of its progress from
// the calling goroutine, with kind "load", "unload" or "pull". The result says
// what was in memory before and after, also with an error, which is a
// *runtime.Error unless the caller left. An order that changed nothing is no
// error: the result says so.
func (h *Host) Do(ctx context.Context, o candor.Order, tell func(candor.Progress)) (candor.OrderResult, error) {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return candor.OrderResult{}, context.Cause(ctx)
	}
	if tell == nil {
		tell = func(candor.Progress) {}
	}
	h.revive(ctx, tell)
	j, err := h.begin(o, tell)
	if err != nil {
		return candor.OrderResult{}, err
	}
	defer h.end(j)
	ctx, leave := j.l.within(ctx)
	defer leave()
	return j.carryOut(ctx)
}

// revive has a server that is out of service started again, and waits for what
// comes of it: an order that reaches it is a person's.
func (h *Host) revive(ctx context.Context, tell func(candor.Progress)) {
	state, news := h.stand()
	if state != candor.ServerOut {
		return
	}
	tell(candor.Progress{Kind: "load", Note: "the model server was out of service: it is started again"})
	h.Reset()
	patience := h.o.Clock.After(startPatience)
	for left := false; state != candor.ServerUp; state, news = h.stand() {
		if left = left || state == candor.ServerStarting; left && state != candor.ServerStarting {
			return
		}
		select {
		case <-news:
		case <-patience:
			return
		case <-ctx.Done():
			return
		}
	}
}

// stand is the server's state, and a channel that is closed when it may have changed.
func (h *Host) stand() (candor.ServerState, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state, h.news
}

// begin notes the order, if there is a server to carry it out.
func (h *Host) begin(o candor.Order, tell func(candor.Progress)) (*job, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life == nil || h.state != candor.ServerUp {
		return nil, h.notUp()
	}
	h.work = &work{order: o, began: h.o.Clock.Now()}
	h.edition++ // a list read before says nothing of what follows
	h.tell()
	return &job{h: h, l: h.life, order: o, name: candor.ModelName(o.Model), tell: tell}, nil
}

func (h *Host) end(j *job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.work = nil
	h.edition++
	for _, m := range h.models {
		m.leaving = false
	}
	h.tell()
	poke(h.nudge)
}

// carryOut does it between two looks at the server's memory.
func (j *job) carryOut(ctx context.Context) (candor.OrderResult, error) {
	began := j.h.o.Clock.Now()
	before, err := j.l.server.Loaded(ctx)
	if err != nil {
		return candor.OrderResult{}, j.l.blame(err)
	}
	changed := false
	switch j.order.Kind {
	case candor.OrderLoad:
		err = j.load(ctx, before)
	case candor.OrderUnload:
		err = j.unload(ctx, j.name)
	case candor.OrderPull:
		changed, err = j.pull(ctx)
	default:
		err = runtime.Refuse("an order of kind %q is not known", j.order.Kind)
	}
	err = j.l.blame(err)
	change := runtime.Change{Before: before, After: before}
	// The state afterwards is told even when the time is up or the load failed.
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.h.o.AnswerPatience)
	defer cancel()
	if after, lookErr := j.l.server.Loaded(look); lookErr == nil {
		change.After = after
	} else {
		if runtime.CodeOf(lookErr) == runtime.CodeGone {
			change.After = nil // nobody has anything in memory
		}
		if err == nil {
			err = j.l.blame(lookErr)
		}
	}
	change = change.Diff(j.listedName(change))
	r := candor.OrderResult{
		Before: j.all(change.Before), After: j.all(change.After), Changed: change.Changed || changed,
		Took: candor.Duration(j.h.o.Clock.Now().Sub(began)), LoadTook: candor.Duration(j.took),
	}
	for _, name := range change.Evicted {
		r.Evicted = append(r.Evicted, candor.ModelName(name))
	}
	j.settle(change, err)
	return r, j.withLosses(err, r.Evicted)
}

// listedName is how the server spells the order's model.
func (j *job) listedName(c runtime.Change) string {
	for _, r := range append(slices.Clone(c.Before), c.After...) {
		if candor.ModelName(r.Model) == j.name {
			return r.Model
		}
	}
	return j.order.Model
}

// all are models as the brain sees them.
func (j *job) all(residents []runtime.Resident) []candor.ServedModel {
	j.h.mu.Lock()
	defer j.h.mu.Unlock()
	now := j.h.o.Clock.Now()
	out := []candor.ServedModel{}
	for _, r := range residents {
		out = append(out, j.h.served(r, now))
	}
	return out
}

// settle brings the book into line with what the server lists, and logs what
// was done.
func (j *job) settle(c runtime.Change, err error) {
	j.h.mu.Lock()
	edition := j.h.edition
	for name, m := range j.h.models { // this order explains who is gone
		m.leaving = m.leaving || name == j.name || slices.ContainsFunc(c.Evicted, func(e string) bool { return candor.ModelName(e) == name })
	}
	j.h.mu.Unlock()
	for _, line := range j.h.adopt(j.l, edition, c.After) {
		j.h.warn("%s", line)
	}
	text, level := fmt.Sprintf("%s %s on %s", j.order.Kind, j.name, j.h.o.Name), slog.LevelInfo
	switch {
	case err != nil:
		text, level = text+": "+err.Error(), slog.LevelWarn
	case !c.Changed:
		text += " changed nothing"
	default:
		text += " done"
	}
	j.h.say(level, lineOrder, text, slog.String(record.KeyModel, j.name))
}

// withLosses adds to a failure what else is gone with it.
func (j *job) withLosses(err error, evicted []string) error {
	e, ok := err.(*runtime.Error) //nolint:errorlint // only an error of our own is rewritten, not one that is wrapped
	if !ok || len(evicted) == 0 {
		return err
	}
	more := *e
	more.Text += "; gone from memory with it: " + strings.Join(evicted, ", ")
	return &more
}

// progress tells a note of what the order is at.
func (j *job) progress(kind, format string, args ...any) {
	j.tell(candor.Progress{Kind: kind, Note: fmt.Sprintf(format, args...)})
}
