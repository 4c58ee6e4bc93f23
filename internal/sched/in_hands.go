package sched

import (
	"fmt"
	"strings"

	"candor"
)

// inHands says that nothing is queued only because others hold what they have
// not begun, and a worker could take some of it; nil: nobody does.
func (s *State) inHands(w *worker) *candor.Reason {
	have := s.have(w)
	total := 0
	var who []string
	for _, o := range s.roster {
		if n := s.reserve(o, &have); o != w && n > 0 {
			total += n
			who = append(who, o.info.Name)
		}
	}
	if total == 0 {
		return nil
	}
	verb := "wait"
	if total == 1 {
		verb = "waits"
	}
	more := ""
	if len(who) > namesSaid {
		more = " and " + count(len(who)-namesSaid, "other")
	}
	text := fmt.Sprintf("%s %s in the hands of %s%s for a slot of the model server; nothing else is queued",
		count(total, "task"), verb, strings.Join(who[:min(len(who), namesSaid)], ", "), more)
	return candor.NewReason(candor.ReasonIdleHands, text).With("tasks", total).With("workers", who)
}

// reserve is how many llm tasks a worker holds and has not begun, as far as
// another one could ever take them: those beyond its slots, and those that say
// that they wait for one.
func (s *State) reserve(o *worker, have *Have) int {
	if o.load.LLM == 0 || o.view.Serving == nil || !o.present() {
		return 0 // most of them: every idle worker asks about every other
	}
	taken, slots := o.bears(candor.ClassLLM)
	able, waiting := 0, 0
	for _, t := range o.running {
		if t.step.spec.Class != candor.ClassLLM {
			continue
		}
		want := s.wantNow(t)
		if !have.mayTake(&want) {
			continue
		}
		able++
		if t.run.progress.Kind == "slot" {
			waiting++
		}
	}
	return min(able, max(taken-slots, waiting))
}
