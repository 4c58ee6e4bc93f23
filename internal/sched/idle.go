package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// clause says of a worker how it stands, which may be a phrase with a verb of
// its own, or a whole sentence.
func clause(name, actual string) string {
	if actual == name {
		return "this is " + name
	}
	for _, start := range []string{"its ", "it ", "waiting ", "task ", "load_llm ", "none", "not known"} {
		if strings.HasPrefix(actual, start) {
			return name + ": " + actual
		}
	}
	for _, state := range []string{"paused ", "quarantined", "drained", "not drained", "lost", "gone"} {
		if strings.HasPrefix(actual, state) {
			return name + " is " + actual
		}
	}
	for _, verb := range []string{"has ", "is ", "last heartbeat "} {
		if strings.HasPrefix(actual, verb) {
			return name + " " + actual
		}
	}
	return name + " has " + actual
}

// idleBecause notes why a worker that asked got nothing.
func (s *State) idleBecause(w *worker, r *candor.Report) {
	w.report = r
	if len(w.running) > 0 {
		return
	}
	if w.idle.IsZero() {
		w.idle = s.now
	}
	w.setReason(s.now, s.idleReason(w, r, s.glance))
}

// Why a worker is idle is asked when it asks for work, and again every second:
// its claim may be held for long while things change. On a large farm not all
// can be asked each second; idleAsks bounds how many questions are.
const (
	idleEvery = time.Second
	idleAsks  = 1000
	idleShare = 16 // so many workers, among whom little is shared, count as one more question
)

// askIdle asks idle workers, in turns, why they are.
func (s *State) askIdle() {
	if s.now.Sub(s.idleAt) < idleEvery || len(s.roster) == 0 {
		return
	}
	s.idleAt = s.now
	kinds := 1
	for _, sh := range s.shapeList {
		kinds += min(sh.total(), 1)
	}
	kinds += len(s.roster) / idleShare
	var l *look
	once := func() *look { // one for all who are asked
		if l == nil {
			l = s.look()
		}
		return l
	}
	memo := map[*shape]*peers{}
	for i, asked := 0, 0; i < len(s.roster) && asked < idleAsks; i++ {
		w := s.roster[s.idleNext%len(s.roster)]
		s.idleNext = (s.idleNext + 1) % len(s.roster)
		if len(w.running) > 0 || !w.present() {
			continue
		}
		asked += kinds
		have := s.have(w)
		w.setReason(s.now, s.idleReason(w, s.report(s.sharing(w, &have).remembering(memo)), once))
	}
}

// holdsBack is what keeps a worker from taking anything at all, or nil.
func (s *State) holdsBack(w *worker) *candor.Reason {
	if r := s.mute(w); r != nil {
		return r
	}
	switch {
	case w.state == candor.WorkerGone:
		return s.goneReason(w)
	case w.state == candor.WorkerLost:
		return s.lostReason(w)
	case s.allPause != nil:
		return pauseReason(candor.ReasonAllPaused, "everything", s.allPause)
	case w.paused != nil:
		return pauseReason(candor.ReasonWorkerPaused, w.info.Name, w.paused)
	case w.quarantined != nil:
		return s.quarantineReason(w)
	case w.draining:
		return drainReason(w)
	case w.hot != nil:
		r := *w.hot
		return &r
	case w.state == candor.WorkerPaused:
		return candor.NewReason(candor.ReasonThermal, w.info.Name+" waits for its card to cool")
	}
	return nil
}

// pauseReason is that a person stopped something, and since when.
func pauseReason(code candor.ReasonCode, what string, p *candor.Pause) *candor.Reason {
	r := candor.NewReason(code, what+" is "+sayPause(p)).Do("candor resume " + scopeArg(*p))
	r.Since = p.At
	return r
}

// drainReason is that a person lets a worker take nothing new, and since when.
func drainReason(w *worker) *candor.Reason {
	r := candor.NewReason(candor.ReasonDraining, fmt.Sprintf("%s is %s: it takes nothing new", w.info.Name, sayDrain(w.drain)))
	if w.drain != nil {
		r.Since = w.drain.At
	}
	return r.Do(remedy(r.Code, "", w.info.Name))
}

// idleReason is the one reason why a worker is idle: what holds it back as a
// whole, else what holds back most of the queued tasks, or that there are none.
func (s *State) idleReason(w *worker, r *candor.Report, look func() *look) *candor.Reason {
	if held := s.holdsBack(w); held != nil {
		return held
	}
	total := 0
	for _, n := range r.Queued {
		total += n
	}
	if total == 0 {
		if held := s.inHands(w); held != nil {
			return held
		}
		return candor.NewReason(candor.ReasonIdleNoWork, "nothing is queued")
	}
	could := 0
	for _, n := range r.Eligible {
		could += n
	}
	if could > 0 {
		return candor.NewReason(candor.ReasonIdleClaiming, fmt.Sprintf("%s could take %d of %s and is about to ask", w.info.Name, could, count(total, "queued task"))+s.sayLate(w))
	}
	if ill := s.illReason(w); ill != nil {
		return ill
	}
	reason := mostRefused(w, r, total)
	switch {
	case reason.Code == candor.ReasonModelCold:
		return s.coldReason(w, look(), reason)
	case reason.Mover == candor.MoverYou && s.othersCould(w, reason.Code):
		reason.Mover = candor.MoverWait // what it cannot do is there for others
	}
	return reason
}

// coldReason is why a worker is idle that lacks the model of what is queued: the
// rule by which no load was ordered for it, or the order that is under way.
func (s *State) coldReason(w *worker, l *look, cold *candor.Reason) *candor.Reason {
	if l == nil {
		l = s.glance()
	}
	demands := l.wanted()
	if i := slices.IndexFunc(demands, func(d *demand) bool { return d.model == cold.Operands["model"] }); i > 0 {
		demands = slices.Concat(demands[i:i+1], demands[:i], demands[i+1:]) // the one that cold speaks of
	}
	for _, d := range demands {
		root := l.whyNot(d, w)
		if root == nil {
			continue
		}
		out := candor.NewReason(root.Code, cold.Text+"; "+root.Text).Do(root.Next)
		out.Mover = root.Mover
		for k, v := range cold.Operands {
			out.With(k, v)
		}
		for k, v := range root.Operands {
			out.With(k, v)
		}
		return out
	}
	return cold
}

// glimpse is a look that was made for the words of a fruitless claim.
type glimpse struct {
	*look
	round, lease int64
	task         candor.TaskID
}

// glance is a look for the words of a fruitless claim: that of the last one, if
// nothing has begun, come or been ordered since. With a thousand idle workers each
// would else look at all of them. It is dropped with the next tick, so that it
// holds on to nothing. Who only asks makes a look of his own, and leaves no trace.
func (s *State) glance() *look {
	now := glimpse{round: s.round, lease: s.meta.NextLease, task: s.meta.NextTask}
	if g := &s.glimpse; g.look == nil || g.round != now.round || g.lease != now.lease || g.task != now.task {
		now.look = s.look()
		*g = now
	}
	return s.glimpse.look
}

// othersCould tells whether all that a worker refuses by a check could go to some
// other worker: then nobody has to change anything.
func (s *State) othersCould(w *worker, code candor.ReasonCode) bool {
	have := s.have(w)
	return !slices.ContainsFunc(s.shapeList, func(sh *shape) bool {
		if sh.total() == 0 {
			return false
		}
		c, verdict := Eligible(&sh.want, &have, nil)
		return c == code && (verdict != candor.VerdictNever || s.unplaceable(sh.want) != nil)
	})
}

// mostRefused is why a worker takes nothing of what is queued: the reason for
// which it refuses most, in words that are true of as many tasks as they say.
func mostRefused(w *worker, r *candor.Report, total int) *candor.Reason {
	if len(r.Why) == 0 {
		return candor.NewReason(candor.ReasonUnexplained, fmt.Sprintf("%s is idle with %s, and no check says why", w.info.Name, count(total, "queued task")))
	}
	top := &r.Why[0]
	for i := range r.Why {
		if why := &r.Why[i]; moreRefused(r, why.Code, top.Code) {
			top = why
		}
	}
	n := r.Refused[top.Code]
	text := fmt.Sprintf("%s takes none of %s: %d refused", w.info.Name, count(total, "queued task"), n)
	if like, ok := top.Operands["tasks"].(int); ok && like < n {
		text += fmt.Sprintf(", for instance %d", like)
	} else {
		text += ","
	}
	text += " since " + top.Text
	if n < total {
		text += fmt.Sprintf(" (and %d for other reasons)", total-n)
	}
	out := candor.NewReason(top.Code, text).Do(top.Next)
	if n == total {
		out.Since = top.Since
	}
	if model := top.Operands["model"]; model != nil {
		out.With("model", model)
	}
	for _, why := range r.Why {
		out.With("refused."+string(why.Code), r.Refused[why.Code])
	}
	return out
}

// moreRefused tells whether more is refused for a than for b; of as many, the
// code that comes first goes first.
func moreRefused(r *candor.Report, a, b candor.ReasonCode) bool {
	if d := r.Refused[a] - r.Refused[b]; d != 0 {
		return d > 0
	}
	return a < b
}

func (s *State) lostReason(w *worker) *candor.Reason {
	silent := s.now.Sub(w.seen)
	text := fmt.Sprintf("last heartbeat %s ago (threshold %s)", candor.ShortDuration(silent), candor.ShortDuration(s.cfg.Lost))
	next := ""
	if !w.frozen.IsZero() {
		text += fmt.Sprintf("; its process %d is stopped", w.info.PID)
		next = fmt.Sprintf("kill -CONT %d", w.info.PID)
	}
	return candor.NewReason(candor.ReasonWorkerLost, w.info.Name+": "+text).
		With("silent_seconds", int(silent.Seconds())).With("threshold_seconds", int(s.cfg.Lost.Seconds())).Do(next)
}
