package storetest

import (
	"fmt"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

// history commits n events, per at a time: of batch 1 or 2, task i, three
// workers; each seventh is a warning, each fiftieth an error.
func (w *world) history(n, per int, batch candor.BatchID) []candor.Event {
	w.t.Helper()
	var all []candor.Event
	c := &sched.Changes{}
	for i := range n {
		e := candor.Event{
			Seq: w.meta.NextEvent, At: noon().Add(time.Duration(i) * time.Second), Level: candor.LevelInfo, Code: candor.EventTaskClaimed,
			Text: fmt.Sprintf("event %d: “x” \\ \n", i), Batch: batch + candor.BatchID(i%2), Task: candor.TaskID(1000 + i/2), Attempt: 1, Lease: int64(i + 1),
			Worker: fmt.Sprintf("worker-%d", i%3), Class: candor.ClassLLM, Model: "qwen2.5:7b", Reason: candor.ReasonBackoff, Took: candor.Duration(123456789),
		}
		switch {
		case i%50 == 49:
			e.Level = candor.LevelError
			e.Batch, e.Task, e.Worker, e.Attempt, e.Lease, e.Took = 0, 0, "", 0, 0, 0
		case i%7 == 6:
			e.Level = candor.LevelWarn
		}
		w.meta.NextEvent++
		c.Events = append(c.Events, e)
		all = append(all, e)
		if len(c.Events) == per || i == n-1 {
			w.commit(c)
			c = &sched.Changes{}
		}
	}
	return all
}

func testEvents(t *testing.T, f Factory) {
	w := open(t, f)
	all := w.history(100, 7, 5)
	all = append(all, w.history(2500, 2500, 7)...)
	louder := map[candor.Level]int{"": 0, candor.LevelDebug: 0, candor.LevelInfo: 1, candor.LevelWarn: 2, candor.LevelError: 3}
	for _, q := range []candor.EventQuery{
		{}, {Limit: 10}, {After: all[41].Seq, Limit: 5}, {After: all[1500].Seq, Limit: 5000}, {After: all[2599].Seq},
		{Last: 1}, {Last: 150}, {Last: 5000, Limit: 6000}, {Last: 10, After: all[2594].Seq},
		{Batch: 5}, {Batch: 8, Limit: 7}, {Batch: 5, Last: 3}, {Batch: 77},
		{Task: 1000}, {Task: 1020, Last: 1}, {Task: 99},
		{Worker: "worker-2", Limit: 4000}, {Worker: "worker-1", Last: 3}, {Worker: "nobody"},
		{Level: candor.LevelError}, {Level: candor.LevelWarn, Last: 5}, {Level: candor.LevelDebug, Limit: 3},
		{Worker: "worker-0", Batch: 7, Level: candor.LevelWarn, After: all[1000].Seq},
	} {
		var want []candor.Event
		for _, e := range all {
			if e.Seq > q.After && (q.Batch == 0 || e.Batch == q.Batch) && (q.Task == 0 || e.Task == q.Task) &&
				(q.Worker == "" || e.Worker == q.Worker) && louder[e.Level] >= louder[q.Level] {
				want = append(want, e)
			}
		}
		switch n := q.Limit; {
		case q.Last > 0:
			want = want[max(0, len(want)-q.Last):]
		case n == 0:
			want = want[:min(1000, len(want))]
		default:
			want = want[:min(n, len(want))]
		}
		got, err := w.s.Events(bg(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		w.same(fmt.Sprintf("events of %+v", q), got, want)
	}
	size, err := w.s.Size(bg())
	if err != nil || size.Events != int64(len(all)) || size.Total <= 0 {
		t.Errorf("size: %+v, %v", size, err)
	}
}
