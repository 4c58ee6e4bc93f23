package sched

import (
	"encoding/json"
	"fmt"

	"candor"
)

// submit makes a batch. Everything is checked before anything is created.
func (s *State) submit(c Submit) (candor.SubmitReply, error) {
	sub := &c.Sub
	if err := sub.Validate(); err != nil {
		return candor.SubmitReply{}, err
	}
	if err := s.keyFree(sub.Key); err != nil {
		return candor.SubmitReply{}, err
	}
	b := s.newBatch(sub)
	for _, st := range b.steps {
		if items, known := knownItems(st); known {
			s.expand(st, items)
		}
	}
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventBatchSubmitted, Batch: b.rec.ID,
		Text: fmt.Sprintf("Batch %s submitted: %s, %s in %s%s", b.rec.ID, sub.Name,
			count(b.total(), "task"), count(len(b.steps), "step"), byWhom(c.By)),
	})
	for _, st := range b.steps {
		s.consider(st)
	}
	s.settleBatch(b)
	s.replan()
	return candor.SubmitReply{Batch: b.rec.ID, Tasks: b.total(), Warnings: s.warnings(b)}, nil
}

func (s *State) keyFree(key string) error {
	id, taken := s.keys[key]
	if key == "" || !taken {
		return nil
	}
	return &candor.Error{
		Code: candor.CodeConflict, Message: fmt.Sprintf("key %q is taken by batch %s", key, id),
		Hint:   fmt.Sprintf("look at it with candor show %s, or submit with another key or none", id),
		Detail: map[string]any{"batch_id": id.String()},
	}
}

func (s *State) newBatch(sub *candor.Submission) *batch {
	b := &batch{rec: BatchRecord{
		ID: s.meta.NextBatch, Name: sub.Name, Key: sub.Key, State: candor.BatchActive, CreatedAt: s.now,
		PlanFile: sub.PlanFile, PlanDir: sub.PlanDir, Inputs: sub.Inputs,
	}}
	if sub.Expires > 0 {
		b.rec.ExpiresAt = s.now.Add(sub.Expires.D())
	}
	s.meta.NextBatch++
	for i := range sub.Steps {
		st := &step{batch: b, num: i, spec: &sub.Steps[i], fresh: true}
		b.steps = append(b.steps, st)
		s.markStep(st)
	}
	b.link(s.agingMicro())
	s.addBatch(b)
	s.touchBatch(b)
	return b
}

// knownItems returns what a step fans out over, if that is known; a step that
// does not fan out has one nil item.
func knownItems(st *step) (items []json.RawMessage, known bool) {
	e := st.spec.Each
	switch {
	case e == nil:
		return []json.RawMessage{nil}, true
	case e.Same != "":
		if up := st.batch.step(e.Same); up.expanded {
			return up.items(), true
		}
		return nil, false
	case e.From != nil:
		return nil, false
	default:
		return gather(e, e.Items), true
	}
}

func (st *step) items() []json.RawMessage {
	items := make([]json.RawMessage, len(st.tasks))
	for i := range st.tasks {
		items[i] = st.tasks[i].item
	}
	return items
}

// expand makes the tasks of a step, blocked; consider moves them on.
func (s *State) expand(st *step, items []json.RawMessage) {
	st.expanded = true
	st.tasks = make([]task, len(items))
	tries := uint16(1 + st.spec.Retries)
	for i, item := range items {
		t := &st.tasks[i]
		*t = task{id: s.meta.NextTask, step: st, item: item, index: int32(i), tries: tries, was: absent}
		if st.spec.Each == nil {
			t.index = -1
		}
		s.meta.NextTask++
	}
	st.counts[blocked] += len(items)
	st.batch.counts[blocked] += len(items)
	s.counts[blocked] += len(items)
	s.tasks.add(st)
	s.newSpans = append(s.newSpans, st)
	s.markStep(st)
	if st.spec.Each != nil && st.spec.Each.Items != nil {
		// The tasks carry the items now; the step need not keep them twice.
		spec := *st.spec
		each := *spec.Each
		each.Items = nil
		spec.Each = &each
		st.spec = &spec
	}
}

// expandFrom makes the tasks of every step that fans out over these items.
func (s *State) expandFrom(up *step, m candor.Manifest, items []json.RawMessage) {
	for _, st := range up.batch.steps {
		e := st.spec.Each
		if st.expanded || e == nil || e.From == nil || *e.From != m {
			continue
		}
		s.expandWith(st, gather(e, items))
	}
}

func (s *State) expandWith(st *step, items []json.RawMessage) {
	st.void = false
	s.expand(st, items)
	s.touchBatch(st.batch)
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventBatchExpanded, Batch: st.batch.rec.ID, Class: st.spec.Class,
		Text: fmt.Sprintf("Batch %s: step %s fans out over %s", st.batch.rec.ID, st.spec.Name, count(len(items), "item")),
	})
	for _, o := range st.batch.steps {
		if !o.expanded && o.spec.Each != nil && o.spec.Each.Same == st.spec.Name {
			s.expandWith(o, items)
		}
	}
	if b := st.batch; b.rec.Cancelled {
		s.closeAgain(b)
		return
	}
	s.consider(st)
}

// warnings names the steps that no known worker could take, even idle.
func (s *State) warnings(b *batch) []candor.Warning {
	var out []candor.Warning
	for _, st := range b.steps {
		if r := s.unplaceable(WantOf(st.spec, nil)); r != nil {
			out = append(out, candor.Warning{Step: st.spec.Name, Reason: *r})
		}
	}
	return out
}

func byWhom(by string) string {
	if by == "" {
		return ""
	}
	return " by " + by
}

// count is a number with its noun: 1 task, 2 tasks.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
