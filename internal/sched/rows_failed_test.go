package sched

import (
	"testing"

	"candor"
)

// Rows that failed in tasks that are complete are told once, when the step is
// settled, with numbers by their codes.
func TestFailedRowsAreFlagged(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("s", items(3))).Batch
	for i, errors := range []map[string]int{{"answer.schema": 2}, nil, {"answer.schema": 1, "answer.truncated": 1}} {
		r := done(f.take("w1"))
		r.Rows = &candor.RowTotals{Rows: 5, Errors: errors}
		for _, n := range errors {
			r.Rows.Failed += n
		}
		if i == 0 {
			r.Rows.First = "it is no JSON"
		}
		if flag := f.s.batches[b].steps[0].flag; flag != nil {
			t.Errorf("flagged before its end: %s", flag.Text)
		}
		f.hand("w1", r)
	}
	const want = "4 of 15 rows of step s failed (answer.schema 3, answer.truncated 1); the first: it is no JSON"
	flag := f.s.batches[b].steps[0].flag
	if flag == nil || flag.Code != candor.ReasonRowsFailed || flag.Mover != candor.MoverYou {
		t.Fatalf("flag %+v", flag)
	}
	has(t, flag.Text, want)
	has(t, f.toldOf(candor.EventRowsFailed), want)
}
