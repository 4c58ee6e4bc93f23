package sched

import (
	"strings"
	"testing"
	"time"

	"candor"
)

func (f *farm) whyBatch(id candor.BatchID) candor.Explanation {
	f.t.Helper()
	return f.do(Why{id.String()}).(candor.Explanation)
}

// A batch is told by groups of tasks, first those that wait for a person; and
// every task of it is in one of them.
func TestABatchIsToldByItsGroups(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(
		cpu("plain", items(3)), cpu("whisper", items(4), func(st *candor.Step) { st.Requires.Tools = []string{"whisper"} }),
		cpu("flaky", retries(3), func(st *candor.Step) { st.Backoff = candor.Duration(time.Minute) }), cpu("last", needs("whisper")),
	).Batch
	var flaky candor.Assignment
	for flaky.Task == 0 {
		a := f.take("w1")
		if f.tasksOf(b)[7].id == a.Task {
			flaky = a
		} else {
			f.hand("w1", done(a))
		}
	}
	f.hand("w1", exit1(flaky))
	x := f.whyBatch(b)
	f.expect(x.Reason, candor.ReasonUnplaceable, b.String(), "3 complete", "4 tasks are queued", "whisper")
	if x.Subject != "batch" || x.Reason.Mover != candor.MoverYou || x.Batch.Total != 9 {
		t.Fatalf("%+v", x)
	}
	var told []string
	all := 0
	for _, g := range x.Batch.Groups {
		told = append(told, g.Step+" "+string(g.State)+" "+string(g.Reason.Code))
		all += g.Tasks
		if one := f.why(g.Example); one.Code != g.Reason.Code {
			t.Errorf("%s is told by %s, and itself says %s", g.Step, g.Reason.Code, one.Code)
		}
	}
	if got := strings.Join(told, ", "); all != 9 || got != "whisper queued never.fits, flaky queued retry.backoff, last blocked need.waiting, plain complete done" {
		t.Errorf("%d tasks: %s", all, got)
	}
}

// An ended batch says how it ended, by the task that failed.
func TestAnEndedBatchSaysHow(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("s", items(2))).Batch
	f.hand("w1", exit1(f.take("w1")))
	f.hand("w1", done(f.take("w1")))
	r := f.whyBatch(b).Reason
	f.expect(r, candor.ReasonFailedSummary, "has ended: 1 complete, 1 failed", "exit 1")
	if !r.Since.Equal(f.now) || !strings.HasPrefix(r.Next, "candor why t_") {
		t.Errorf("%+v", r)
	}
}

// Lists say of every task that waits why it does, also beyond those that are
// asked one by one.
func TestListedTasksSayWhyTheyWait(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("s", items(waitingsAsked+20), requires("fast")), cpu("last", needs("s"))).Batch
	var list []candor.Task
	for _, t := range f.tasksOf(b) {
		list = append(list, t.view())
	}
	for _, v := range f.do(Decorate{list}).([]candor.Task) {
		want := candor.ReasonUnplaceable
		if v.Step == "last" {
			want = candor.ReasonNeedWaiting
		}
		if v.Reason == nil || v.Reason.Code != want {
			t.Fatalf("%s: %+v", v.Name, v.Reason)
		}
	}
}
