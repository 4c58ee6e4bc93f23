package sched

import (
	"fmt"

	"candor"
)

const (
	// fewOutputs is below how many outputs of a step nothing is concluded from likeness.
	fewOutputs = 10
	// alikeShare: from this share on (a quarter), likeness is worth a warning.
	alikeShare = 4
)

// outputs counts the contents that a step's tasks put in place, by output.
type outputs map[string]map[string]int

// compare notes what a task put in place, if its step fans out.
func (st *step) compare(found map[string]candor.Output) {
	if st.spec.Each == nil {
		return
	}
	for name, o := range found {
		if o.SHA256 == "" {
			continue
		}
		if st.contents == nil {
			st.contents = outputs{}
		}
		if st.contents[name] == nil {
			st.contents[name] = map[string]int{}
		}
		st.contents[name][o.SHA256]++
	}
}

// flagIdentical warns when many outputs of a settled step are the same byte for
// byte: a job that swallows its errors ends well and writes the same stump
// again and again.
func (s *State) flagIdentical(st *step) {
	contents := st.contents
	st.contents = nil
	for _, name := range sortedKeys(contents) {
		total, most, sum := 0, 0, ""
		for _, digest := range sortedKeys(contents[name]) {
			n := contents[name][digest]
			total += n
			if n > most {
				most, sum = n, digest
			}
		}
		if total < fewOutputs || most*alikeShare < total || most == 1 || st.flag != nil {
			continue
		}
		st.flag = candor.NewReason(candor.ReasonIdentical, fmt.Sprintf("%d of %d outputs identical: %s of step %s (sha256 %.12s)",
			most, total, name, st.spec.Name, sum)).
			With("identical", most).With("total", total).With("output", name).With("sha256", sum).
			Do("candor ls " + st.batch.rec.ID.String() + " --step " + st.spec.Name)
		st.flag.Since = s.now
		s.markStep(st)
		s.event(&candor.Event{
			Level: candor.LevelWarn, Code: candor.EventStepIdentical, Batch: st.batch.rec.ID, Class: st.spec.Class,
			Reason: candor.ReasonIdentical, Text: fmt.Sprintf("Batch %s: %s", st.batch.rec.ID, st.flag.Text),
		})
	}
}
