package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// refusals gathers what one worker refuses of the queue, by reason. One kind of
// tasks speaks for all that are refused for the same: that of which there are most.
type refusals struct {
	s      *State
	report *candor.Report
	order  []candor.ReasonCode
	like   map[candor.ReasonCode]refused
	held   []*shape // of which tasks are refused since their batch is paused
}

// refused is one kind of tasks, and how many of it are refused for one reason.
type refused struct {
	sh *shape
	n  int
}

func (r *refusals) add(code candor.ReasonCode, sh *shape, n int) {
	if n == 0 {
		return
	}
	if r.report.Refused[code] == 0 {
		r.order = append(r.order, code)
	}
	r.report.Refused[code] += n
	if n > r.like[code].n {
		r.like[code] = refused{sh, n}
	}
	if code == candor.ReasonBatchPaused {
		r.held = append(r.held, sh)
	}
}

// report says what a fruitless claim saw: every refusal under the reason that
// the predicate gave for it. What a worker could never take it refuses for that,
// whatever else holds the task; an order for another worker is not its business.
func (s *State) report(shares *sharing) *candor.Report {
	have := shares.have
	r := &candor.Report{At: s.now, Queued: map[candor.Class]int{}, Eligible: map[candor.Class]int{}, Refused: map[candor.ReasonCode]int{}}
	all := &refusals{s: s, report: r, like: map[candor.ReasonCode]refused{}}
	for _, sh := range s.shapeList {
		if sh.total() == 0 || sh.want.othersOrder(have.Info.Name) {
			continue
		}
		r.Queued[sh.want.Class] += sh.total()
		have.share = shares.of(sh)
		code, verdict := Eligible(&sh.want, &have, nil)
		if verdict == candor.VerdictNever {
			all.add(code, sh, sh.total())
			continue
		}
		all.add(candor.ReasonBatchPaused, sh, sh.held)
		all.add(candor.ReasonBackoff, sh, sh.backoff)
		if code == "" {
			r.Eligible[sh.want.Class] += sh.ready
			continue
		}
		all.add(code, sh, sh.ready)
	}
	for _, code := range all.order {
		have.share = shares.of(all.like[code].sh)
		r.Why = append(r.Why, *all.word(code, &have))
	}
	return r
}

// othersOrder tells whether it is an order about a model for another worker than this.
func (w *Want) othersOrder(name string) bool {
	return w.Order != nil && w.Worker != "" && w.Worker != name
}

// word puts a reason of refusals into words, with how many tasks these are true of.
func (r *refusals) word(code candor.ReasonCode, have *Have) *candor.Reason {
	like := r.like[code]
	switch code {
	case candor.ReasonBatchPaused:
		return r.s.pausedBatches(r.held).With("tasks", r.report.Refused[code])
	case candor.ReasonBackoff:
		return r.s.nextTry(have).With("tasks", r.report.Refused[code])
	default:
		return refusal(code, &like.sh.want, have).With("tasks", like.n)
	}
}

// refusal words why tasks of one kind are refused by one worker.
func refusal(code candor.ReasonCode, want *Want, have *Have) *candor.Reason {
	if p := have.ClassPaused[want.Class]; code == candor.ReasonClassPaused && p != nil {
		return pauseReason(code, "class "+p.Target, p)
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
		if want.Model != "" {
			r.With("model", want.Model)
		}
		if code == candor.ReasonVRAMKept {
			return keptFor(r, have.Kept)
		}
		return r
	}
	return candor.NewReason(candor.ReasonUnexplained, "refused by "+string(code)+", which no check recorded")
}

// batchesSaid is how many paused batches a sentence names.
const batchesSaid = 3

// pausedBatches names the paused batches that tasks of some shapes belong to, the
// longest paused first, with who paused them, when, and the command that resumes them.
func (s *State) pausedBatches(shapes []*shape) *candor.Reason {
	var said, ids []string
	var since time.Time
	more := 0
	for i := range s.pauses {
		b := s.pausedBatch(s.pauses[i])
		if b == nil || !b.waitsIn(shapes) {
			continue
		}
		if len(said) == batchesSaid {
			more++
			continue
		}
		if len(said) == 0 {
			since = s.pauses[i].At
		}
		said, ids = append(said, fmt.Sprintf("batch %s (%s) is %s", b.rec.ID, b.rec.Name, sayPause(&s.pauses[i]))), append(ids, b.rec.ID.String())
	}
	if len(said) == 0 {
		return candor.NewReason(candor.ReasonUnexplained, "their batch is paused, and none of the paused ones has them")
	}
	text := strings.Join(said, ", ")
	if more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	r := candor.NewReason(candor.ReasonBatchPaused, text).With("batches", ids).Do("candor resume " + strings.Join(ids, " "))
	r.Since = since
	return r
}

// waitsIn tells whether tasks of a paused batch wait in one of these shapes.
func (b *batch) waitsIn(shapes []*shape) bool {
	for l := range b.eachLane() {
		if l.pos < 0 && l.tasks.len() > 0 && slices.Contains(shapes, l.shape) {
			return true
		}
	}
	return false
}

// nextTry says when the first of the tasks that wait for their next try is due,
// if it is one that the worker could ever take.
func (s *State) nextTry(have *Have) *candor.Reason {
	const waits = "their next try waits its time"
	t := s.timers.next()
	if t == nil {
		return candor.NewReason(candor.ReasonBackoff, waits)
	}
	want := s.wantNow(t)
	if _, verdict := Eligible(&want, have, nil); verdict == candor.VerdictNever {
		return candor.NewReason(candor.ReasonBackoff, waits)
	}
	at := candor.FormatTime(t.past.notBefore)
	text := fmt.Sprintf("%s, the first at %s: %s (%s)", waits, at, t.name(), t.id)
	if r := t.reason(); r != nil {
		rest, ok := strings.CutPrefix(r.Text, "next try at "+at)
		text += yesNo(ok, rest, ", "+r.Text)
	}
	return candor.NewReason(candor.ReasonBackoff, text).
		With("task", t.id.String()).With("not_before", at).Do("candor why " + t.id.String())
}
