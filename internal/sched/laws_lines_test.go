package sched

import (
	"slices"

	"candor"
)

// held is what is said of a task's state where it changes.
type held struct {
	state state
	lease int64
}

// checkLines is the law that a change is told where it happens: of each task
// that has begun, ended, or waits again, there is an event that names it, or its
// batch where all of that change at once.
func (w *world) checkLines(cmd Command, events []candor.Event) {
	now := map[candor.TaskID]held{}
	for _, b := range w.s.order {
		for t := range b.eachTask() {
			h := held{state: t.state}
			if t.state == processing {
				h.lease = t.run.lease
			}
			now[t.id] = h
			was, known := w.shown[t.id]
			if !known || was == h {
				continue
			}
			whole := was.state != processing && h.state != processing
			told := slices.ContainsFunc(events, func(e candor.Event) bool {
				return e.Task == t.id && (h.state != processing || e.Lease == h.lease) || whole && e.Task == 0 && e.Batch == b.rec.ID
			})
			swept := h.state == cancelled && b.rec.Cancelled // in slices; told when it began
			if _, admitted := cmd.(Admit); !told && !admitted && !swept && !releases(was.state, h.state) {
				w.t.Fatalf("%T: %s went from %s to %s, and no line says so", cmd, t.name(), stateNames[was.state], stateNames[h.state])
			}
		}
	}
	w.shown = now
}

// releases: a task becomes ready when the last one that it needs has ended,
// which is told there.
func releases(was, is state) bool { return was == blocked && is == queued }

// read asks everything that can be asked. It is the law that asking changes
// nothing and logs nothing: the twin, who is not asked, goes on as this one does.
func (w *world) read() {
	if w.s.now.IsZero() {
		return
	}
	before := len(w.s.changes.Events)
	ask := func(cmd Command) { // at an instant that the twin has seen, too
		if _, err := w.s.Apply(w.s.now, cmd); err != nil {
			w.t.Fatalf("%T: %v", cmd, err)
		}
	}
	ask(Status{})
	ask(Workers{})
	ask(Models{})
	ask(Resolve{"t_"})
	for _, b := range w.s.order {
		ask(Why{b.rec.ID.String()})
	}
	for _, k := range w.s.roster {
		ask(Why{k.info.Name})
	}
	if n := len(w.s.changes.Events); n != before {
		w.t.Fatalf("asking was logged: %s", dump(w.s.changes.Events[before:]))
	}
}

// still is the law that ticks in which no time passes come to an end of what they
// tell and store: what has been said is not said again. One may follow from
// another, so a few are allowed.
func (w *world) still() {
	w.commit()
	for n := 0; n < 4; {
		if !w.s.Closing() { // else the tick ends more of a batch that was cancelled
			n++
		}
		w.do(Tick{}, nil)
		if w.stored() == nil {
			return
		}
	}
	w.t.Fatalf("a fifth tick in the same instant did %s", dump(w.taken[len(w.taken)-1]))
}

// stored commits, and returns what had changed; nil: nothing.
func (w *world) stored() *Changes {
	before := w.s.revision
	w.commit()
	if w.s.revision == before {
		return nil
	}
	return w.taken[len(w.taken)-1]
}
