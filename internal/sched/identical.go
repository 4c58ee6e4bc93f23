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

// contents counts what a step's tasks made, by what it is: of each output, or of
// the answers to prompts.
type contents struct {
	total int
	same  map[string]int
}

func (c *contents) add(sum string, n int) {
	if c.same == nil {
		c.same = map[string]int{}
	}
	c.same[sum] += n
}

// ofAnswers is the name under which answers are counted; no output has it.
const ofAnswers = ""

// compare notes what a task made, if its step fans out. Results of prompts are
// files that hold times and ids; there the answers are compared.
func (st *step) compare(found map[string]candor.Output, rows *candor.RowTotals) {
	switch {
	case st.spec.Each == nil:
	case st.spec.LLM == nil:
		for name, o := range found {
			if o.SHA256 != "" {
				c := st.contentsOf(name)
				c.total++
				c.add(o.SHA256, 1)
			}
		}
	case rows != nil && rows.Compared > 0:
		c := st.contentsOf(ofAnswers)
		c.total += rows.Compared
		for sum, n := range rows.Answers {
			c.add(sum, n)
		}
	}
}

func (st *step) contentsOf(name string) *contents {
	if st.contents == nil {
		st.contents = map[string]*contents{}
	}
	c := st.contents[name]
	if c == nil {
		c = &contents{}
		st.contents[name] = c
	}
	return c
}

// most is what is there the most often, and how often.
func (c *contents) most() (sum string, n int) {
	for _, digest := range sortedKeys(c.same) {
		if c.same[digest] > n {
			sum, n = digest, c.same[digest]
		}
	}
	return sum, n
}

// flagIdentical warns when many outputs of a settled step are the same byte for
// byte: a job that swallows its errors ends well and writes the same stump
// again and again; a model answers prompts with the same excuse.
func (s *State) flagIdentical(st *step) {
	all := st.contents
	st.contents = nil
	for _, name := range sortedKeys(all) {
		total := all[name].total
		sum, most := all[name].most()
		if total < fewOutputs || most*alikeShare < total || most == 1 || st.flag != nil {
			continue
		}
		what := fmt.Sprintf("%d of %d outputs identical: %s of step %s", most, total, name, st.spec.Name)
		if name == ofAnswers {
			what = fmt.Sprintf("%d of %d answers identical: of step %s", most, total, st.spec.Name)
		}
		st.flag = candor.NewReason(candor.ReasonIdentical, fmt.Sprintf("%s (sha256 %.12s)", what, sum)).
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
