package sched

import (
	"fmt"
	"strings"

	"candor"
)

// addRows notes how many rows of a task that is complete failed by themselves.
func (st *step) addRows(r *candor.RowTotals) {
	if r == nil {
		return
	}
	if st.rows == nil {
		st.rows = &candor.RowTotals{Errors: map[string]int{}}
	}
	st.rows.Rows += r.Rows
	st.rows.Failed += r.Failed
	if st.rows.First == "" {
		st.rows.First = r.First
	}
	for code, n := range r.Errors {
		st.rows.Errors[code] += n
	}
}

// flagRows warns of a settled step whose tasks are complete while rows of theirs
// have errors in their place.
func (s *State) flagRows(st *step) {
	rows := st.rows
	st.rows = nil
	if rows == nil || rows.Failed == 0 || st.flag != nil {
		return
	}
	var by []string
	for _, code := range sortedKeys(rows.Errors) {
		by = append(by, fmt.Sprintf("%s %d", code, rows.Errors[code]))
	}
	st.flag = candor.NewReason(candor.ReasonRowsFailed, fmt.Sprintf("%d of %s of step %s failed (%s); the first: %s",
		rows.Failed, count(rows.Rows, "row"), st.spec.Name, strings.Join(by, ", "), rows.First)).
		With("failed", rows.Failed).With("rows", rows.Rows).With("errors", rows.Errors).
		Do("candor ls " + st.batch.rec.ID.String() + " --step " + st.spec.Name)
	st.flag.Since = s.now
	s.markStep(st)
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventRowsFailed, Batch: st.batch.rec.ID, Class: st.spec.Class, Model: st.spec.Model,
		Reason: candor.ReasonRowsFailed, Text: fmt.Sprintf("Batch %s: %s", st.batch.rec.ID, st.flag.Text),
	})
}
