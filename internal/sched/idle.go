package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// refuse counts tasks under the reason for which they were refused, and keeps
// one worded example of each reason.
func refuse(r *candor.Report, code candor.ReasonCode, n int, want *Want, have *Have) {
	if n == 0 {
		return
	}
	if r.Refused[code] += n; r.Refused[code] > n {
		return
	}
	r.Why = append(r.Why, *refusal(code, want, have))
}

// refusal words why tasks of one kind are refused by one worker.
func refusal(code candor.ReasonCode, want *Want, have *Have) *candor.Reason {
	switch code {
	case candor.ReasonBatchPaused:
		return candor.NewReason(code, "their batch is paused")
	case candor.ReasonBackoff:
		return candor.NewReason(code, "their next try waits its time")
	}
	rec := &Recorder{}
	Eligible(want, have, rec)
	for _, c := range rec.Checks {
		if c.OK || c.Code != code {
			continue
		}
		r := candor.NewReason(code, fmt.Sprintf("%s tasks need %s: %s", want.Class, c.Wanted, clause(have.Info.Name, c.Actual))).
			With("wanted", c.Wanted).With("actual", c.Actual).With("verdict", string(c.Verdict)).With("worker", have.Info.Name).
			Do(remedy(code, want.Model, have.Info.Name))
		if code == candor.ReasonVRAMKept {
			return keptFor(r, have.Kept)
		}
		return r
	}
	return candor.NewReason(candor.ReasonUnexplained, "refused by "+string(code)+", which no check recorded")
}

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
	for _, state := range []string{"paused ", "quarantined", "draining", "not draining", "lost", "gone"} {
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
	w.setReason(s.now, s.idleReason(w, r, nil))
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
	memo := map[*shape]*peers{}
	for i, asked := 0, 0; i < len(s.roster) && asked < idleAsks; i++ {
		w := s.roster[s.idleNext%len(s.roster)]
		s.idleNext = (s.idleNext + 1) % len(s.roster)
		if len(w.running) > 0 || !w.present() {
			continue
		}
		asked += kinds
		have := s.have(w)
		if l == nil {
			l = s.look() // one for all who are asked
		}
		w.setReason(s.now, s.idleReason(w, s.report(s.sharing(w, &have).remembering(memo)), l))
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
		r := candor.NewReason(candor.ReasonDraining, w.info.Name+" drains: it takes nothing new").Do("candor worker undrain " + w.info.Name)
		r.Since = w.drainedAt
		return r
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

// idleReason is the one reason why a worker is idle: what holds it back as a
// whole, else what holds back most of the queued tasks, or that there are none.
func (s *State) idleReason(w *worker, r *candor.Report, l *look) *candor.Reason {
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
	for _, n := range r.Eligible {
		if n > 0 {
			return candor.NewReason(candor.ReasonIdleClaiming, fmt.Sprintf("%s could take %d of %s and is about to ask", w.info.Name, n, count(total, "queued task")))
		}
	}
	if ill := s.illReason(w); ill != nil {
		return ill
	}
	reason := mostRefused(w, r, total)
	switch {
	case reason.Code == candor.ReasonModelCold:
		return s.coldReason(w, l, reason)
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
	for _, d := range l.wanted() {
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

// glimpse is a look that was made to explain, kept for those who ask right after.
type glimpse struct {
	*look
	round, lease int64
}

// glance is a look for words: the last one, if nothing bears on it since. With a
// thousand idle workers each fruitless claim would else look at all of them. It
// is dropped with the next tick, so that it holds on to nothing.
func (s *State) glance() *look {
	if g := &s.glimpse; g.look == nil || g.round != s.round || g.lease != s.meta.NextLease {
		*g = glimpse{s.look(), s.round, s.meta.NextLease}
	}
	return s.glimpse.look
}

// othersCould tells whether all that a worker refuses by a check could go to some
// other worker: then nobody has to change anything.
func (s *State) othersCould(w *worker, code candor.ReasonCode) bool {
	have := s.have(w)
	return !slices.ContainsFunc(s.shapeList, func(sh *shape) bool {
		if sh.ready == 0 {
			return false
		}
		c, verdict := Eligible(&sh.want, &have, nil)
		return c == code && (verdict != candor.VerdictNever || s.unplaceable(sh.want) != nil)
	})
}

func mostRefused(w *worker, r *candor.Report, total int) *candor.Reason {
	codes := make([]candor.ReasonCode, 0, len(r.Refused))
	for c := range r.Refused {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b candor.ReasonCode) int {
		if d := r.Refused[b] - r.Refused[a]; d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	if len(codes) == 0 {
		return candor.NewReason(candor.ReasonUnexplained, fmt.Sprintf("%s is idle with %s, and no check says why", w.info.Name, count(total, "queued task")))
	}
	top := codes[0]
	text, next := fmt.Sprintf("%s takes none of %s", w.info.Name, count(total, "queued task")), ""
	for _, why := range r.Why {
		if why.Code == top {
			next = why.Next
			text += fmt.Sprintf(": %d refused, since %s", r.Refused[top], why.Text)
		}
	}
	if len(codes) > 1 {
		text += fmt.Sprintf(" (and %d for other reasons)", total-r.Refused[top])
	}
	out := candor.NewReason(top, text).Do(next)
	for c, n := range r.Refused {
		out.With("refused."+string(c), n)
	}
	return out
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
