package sched

import (
	"slices"
	"strings"
	"time"

	"candor"
)

// demand is what is wanted of one model, and who is there for it.
type demand struct {
	model    string
	queued   int
	running  int
	context  int   // the longest that is wanted, in tokens
	priority int   // of the task that goes first
	oldest   int64 // when that was queued, in microseconds
	shapes   []*shape
	want     *Want // of the shape with most tasks
	most     int
	run      time.Duration
	load     time.Duration
	crews    []*crew   // its tasks by what may serve them
	holders  []*worker // they are there for some of its tasks
	owners   []*worker // of them, who has the model itself, or is about to
	open     int       // orders for whoever takes them, if somebody could

	bids *bids // once everybody was asked
}

// work is what is left to do, in one worker's time. What runs is half done.
func (d *demand) work() time.Duration {
	return time.Duration(d.queued)*d.run + time.Duration(d.running)*d.run/2
}

// wants gathers what is wanted, by model. It visits shapes and workers, never
// tasks.
func (l *look) wants() []*demand {
	s := l.s
	by := map[string]*demand{}
	var all []*demand
	for _, sh := range s.shapeList {
		n := sh.ready + sh.backoff
		if sh.want.Class != candor.ClassLLM || n == 0 {
			continue
		}
		d := by[sh.want.Model]
		if d == nil {
			d = &demand{model: sh.want.Model, priority: -candor.MaxPriority - 1}
			by[d.model] = d
			all = append(all, d)
		}
		d.add(sh, n)
	}
	for _, d := range all {
		d.run, d.load = s.runTime(d.model), s.loadTime(d.model)
	}
	slices.SortFunc(all, func(a, b *demand) int { return strings.Compare(a.model, b.model) })
	l.countHands(by)
	return all
}

func (d *demand) add(sh *shape, n int) {
	d.queued += n
	d.shapes = append(d.shapes, sh)
	c := d.crewOf(sh)
	c.queued += n
	c.shapes = append(c.shapes, sh)
	d.context = max(d.context, sh.want.Context)
	if n > d.most {
		d.want, d.most = &sh.want, n
	}
	if sh.ready == 0 {
		return
	}
	if t := sh.head(); d.oldest == 0 || t.queuedAt < d.oldest {
		d.oldest = t.queuedAt
	}
	for _, l := range sh.lanes {
		d.priority = max(d.priority, l.step.spec.Priority)
	}
}

// countHands finds who is there for each demand, and what runs already.
func (l *look) countHands(by map[string]*demand) {
	for _, w := range l.s.roster {
		if !w.present() {
			continue
		}
		for _, t := range w.running {
			if d := by[candor.ModelName(t.step.spec.Model)]; d != nil && t.step.spec.Class == candor.ClassLLM {
				d.running++
			}
		}
		have := l.have(w)
		if have.heldBack() {
			continue
		}
		for _, d := range by {
			d.muster(l.s, w, have)
		}
	}
}

// heldBack tells whether a worker takes nothing until a person says so, or its
// card is cool: tasks do not wait for its model that another could load.
func (h *Have) heldBack() bool {
	return h.Paused != nil || h.Quarantined != nil || h.Draining || h.Hot != ""
}

// mayTake tells whether tasks may ever go to a worker, as far as its model is
// not concerned.
func (h *Have) mayTake(w *Want) bool {
	_, verdict := Eligible(w, h, nil)
	return verdict != candor.VerdictNever && !slices.Contains(w.Avoid, h.Info.Name)
}

// ordered is the live order to load a model on this worker, or nil.
func (s *State) ordered(model string, w *worker) *task {
	for _, t := range s.ordersOf(w) {
		if o := t.step.spec.Order; o.Kind == candor.OrderLoad && o.Model == model {
			return t
		}
	}
	return nil
}
