package sched

import (
	"fmt"
	"strings"
	"time"

	"candor"
)

// The loads of one host share its disk and bus, so only so many run at once.
// Against that number counts what is under way, and what its worker could take
// right now. An order that waits for something else than a free host (its worker
// is paused, its next try waits its time) counts when it is taken: until then it
// must not keep the other cards idle. Nor does a load that seems to hang.

// A load that takes so many times what is usual, and longer than the floor, is
// taken to hang. Its worker bounds it in the end; others do not wait for that.
const (
	hangTimes = 3
	hangFloor = time.Minute
)

// hostLoad is a load that counts against the host of its worker.
type hostLoad struct {
	t *task
	w *worker
}

// loadOn counts a load against the host of the worker that it is for.
func (l *look) loadOn(w *worker, t *task) {
	switch {
	case w == nil:
	case l.s.hangs(t):
		l.hung[w.info.Host] = append(l.hung[w.info.Host], hostLoad{t, w})
	default:
		l.hosts[w.info.Host] = append(l.hosts[w.info.Host], hostLoad{t, w})
	}
}

// loadsFor are the loads that a worker waits for, those under way before those
// that are only ordered.
func (l *look) loadsFor(o *offer) []hostLoad {
	if len(o.have.HostLoads) > 0 {
		return o.have.HostLoads
	}
	return l.hosts[o.w.info.Host]
}

// takesNow tells whether a worker could take a queued order at its next claim.
func (s *State) takesNow(t *task, w *worker) bool {
	if w == nil || !w.present() || w.silent || t.waits() {
		return false
	}
	want, have := s.wantNow(t), s.have(w)
	code, _ := Eligible(&want, &have, nil)
	return code == ""
}

// waits tells whether no claim finds a queued task: its next try waits its time,
// or its batch is paused.
func (t *task) waits() bool { return t.place == 0 || t.batch().pause != nil }

// stalled tells whether an order that is a worker's alone will not give it its
// model soon: something is in its way that does not pass by itself when what
// runs there, or a load beside it, has ended. It does no work, so nobody is to
// wait for it.
func (s *State) stalled(t *task, w *worker) bool {
	if t.state == processing {
		return s.hangs(t)
	}
	if w.silent || t.waits() {
		return true
	}
	want, have := s.wantNow(t), s.have(w)
	have.Running.Orders, have.HostLoads, have.of = 0, nil, nil
	code, _ := Eligible(&want, &have, nil)
	return code != ""
}

// hangs tells whether a load that is under way takes far longer than is usual.
func (s *State) hangs(t *task) bool {
	return t.state == processing && t.step.spec.Order.Kind == candor.OrderLoad &&
		farLonger(s.now.Sub(t.run.started), s.loadTime(t.step.spec.Order.Model))
}

func farLonger(took, usual time.Duration) bool { return took > max(hangTimes*usual, hangFloor) }

// loadsBeside are the loads that other workers of its host carry out, without
// those that hang.
func (s *State) loadsBeside(w *worker) []hostLoad {
	var out []hostLoad
	for _, h := range w.house.loads {
		if h.w != w && !s.hangs(h.t) {
			out = append(out, h)
		}
	}
	return out
}

// sayLoads names loads, each with its worker and how far it is.
func sayLoads(s *State, loads []hostLoad) string {
	if len(loads) == 0 {
		return "none under way or ordered"
	}
	var parts []string
	for _, h := range loads {
		o := h.t.step.spec.Order
		text := fmt.Sprintf("%s %s (%s)", o.Kind, o.Model, h.t.id)
		if h.t.state == processing {
			text += " is under way on " + h.w.info.Name + sayFar(s.now.Sub(h.t.run.started), s.loadTime(o.Model))
		} else {
			text += " is ordered for " + h.w.info.Name
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// sayFar is how far a load is, as far as its time tells: 12s of about 40s.
func sayFar(took, usual time.Duration) string {
	of := ""
	if usual > 0 {
		of = " of about " + candor.ShortDuration(usual)
	}
	if usual > 0 && farLonger(took, usual) {
		return fmt.Sprintf(" for far longer than usual (%s%s)", candor.ShortDuration(took), of)
	}
	return " for " + candor.ShortDuration(took) + of
}
