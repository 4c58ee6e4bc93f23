package sched

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"candor"
)

// checkReports counts again, task by task, what each worker refuses and for what,
// and holds the numbers of its sentence against that.
func (w *world) checkReports(cmd Command) {
	for _, k := range w.s.roster {
		have := w.s.have(k)
		r := w.s.report(w.s.sharing(k, &have).reading())
		total, could, refused := w.recount(k, &have)
		if !maps.Equal(refused, r.Refused) {
			w.t.Fatalf("%T: %s refuses %v, its report says %v", cmd, k.info.Name, refused, r.Refused)
		}
		for _, why := range r.Why {
			if n, ok := why.Operands["tasks"].(int); !ok || n < 1 || n > refused[why.Code] {
				w.t.Fatalf("%T: %s refuses %d for %s, in the words of %v", cmd, k.info.Name, refused[why.Code], why.Code, why.Operands["tasks"])
			}
		}
		if len(k.running) > 0 || could > 0 || total == 0 {
			continue
		}
		if wrong := wrongNumbers(w.s.idleReason(k, r, w.s.look), total, refused); wrong != "" {
			w.t.Fatalf("%T: %s: %s", cmd, k.info.Name, wrong)
		}
	}
}

// recount asks for every queued task by itself what report asks by shapes.
func (w *world) recount(k *worker, have *Have) (total, could int, refused map[candor.ReasonCode]int) {
	refused = map[candor.ReasonCode]int{}
	for _, b := range w.s.order {
		for t := range b.eachTask() {
			if t.state != queued || t.lane.shape == nil || t.lane.shape.want.othersOrder(k.info.Name) {
				continue
			}
			total++
			have.share = w.s.shareOf(k, have, t.lane.shape)
			code, verdict := Eligible(&t.lane.shape.want, have, nil)
			switch {
			case verdict == candor.VerdictNever:
			case t.place == 0:
				code = candor.ReasonBackoff
			case b.pause != nil:
				code = candor.ReasonBatchPaused
			}
			if code == "" {
				could++
				continue
			}
			refused[code]++
		}
	}
	return total, could, refused
}

var refusedNumbers = regexp.MustCompile(`takes none of (\d+) queued tasks?: (\d+) refused,(?: for instance (\d+))? since `)

// wrongNumbers says what is wrong with the numbers of an idle worker's sentence.
func wrongNumbers(r *candor.Reason, total int, refused map[candor.ReasonCode]int) string {
	m := refusedNumbers.FindStringSubmatch(r.Text)
	if m == nil {
		return "" // it is held back as a whole
	}
	n, others := 0, ""
	for _, of := range refused { // the code may be that of why no load was ordered
		n = max(n, of)
	}
	if n < total {
		others = " (and " + strconv.Itoa(total-n) + " for other reasons)"
	}
	switch {
	case m[1] != strconv.Itoa(total) || m[2] != strconv.Itoa(n) || m[3] == m[2]:
		return "of " + strconv.Itoa(total) + " it refuses " + strconv.Itoa(n) + ", and says: " + r.Text
	case strings.Contains(r.Text, "for other reasons") != (n < total) || !strings.Contains(r.Text, others):
		return "other reasons are not" + others + ": " + r.Text
	default:
		return ""
	}
}

// F11: a worker whose work is all paused names the batches, who paused them, when,
// and what resumes them.
func TestAnIdleWorkerNamesThePausedBatches(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	a, b := f.submit(cpu("s", items(3))).Batch, f.submit(cpu("s", items(4))).Batch
	f.do(Pause{change(a.String())})
	f.now = f.now.Add(time.Minute)
	f.do(Pause{candor.ChangeRequest{Targets: []string{b.String()}, By: "bob"}})
	f.now = f.now.Add(time.Minute)
	f.claim("w1")
	x := f.do(Why{"w1"}).(candor.Explanation)
	f.expect(x.Reason, candor.ReasonBatchPaused, "w1 takes none of 7 queued tasks: 7 refused, since batch "+a.String()+" (plan) is paused by ann at 2026-02-07T21:45:00.000Z (cleaning), "+
		"batch "+b.String()+" (plan) is paused by bob at 2026-02-07T21:46:00.000Z")
	if x.Reason.Next != "candor resume "+a.String()+" "+b.String() || x.Reason.Mover != candor.MoverOperator || !x.Reason.Since.Equal(epoch) {
		t.Errorf("next %q, move %s, since %s", x.Reason.Next, x.Reason.Mover, x.Reason.Since)
	}
	if len(x.Queue) != 1 || x.Queue[0].Queued != 7 || x.Queue[0].Example != f.tasksOf(a)[0].id || x.Queue[0].Checks.Verdict != candor.VerdictNotNow {
		t.Fatalf("queue: %+v", x.Queue)
	}
	checks := x.Queue[0].Checks.Checks
	if last := checks[len(checks)-1]; last.OK || last.Code != candor.ReasonBatchPaused {
		t.Errorf("the last check is %+v", last)
	}
	f.do(Resume{candor.ChangeRequest{Targets: strings.Fields(x.Reason.Next)[2:]}})
	f.take("w1")
}

// A batch of which it could take nothing is not what a worker waits for.
func TestAnIdleWorkerNamesOnlyPausedBatchesThatItCouldServe(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", func(in *candor.WorkerInfo) { in.Classes = []candor.Class{candor.ClassCPU} })
	f.join("w2")
	other := f.submit(cpu("gpu", items(9), func(st *candor.Step) { st.Class = candor.ClassScript })).Batch
	f.do(Pause{change(other.String())})
	f.expect(f.why("w1"), candor.ReasonWrongClass, "9 refused, since script tasks need class script")
	mine := f.submit(cpu("mine", items(9))).Batch
	for range 4 {
		f.do(Pause{change(f.submit(cpu("more")).Batch.String())})
	}
	f.do(Pause{change(mine.String())})
	r := f.why("w1")
	f.expect(r, candor.ReasonBatchPaused, "13 refused, since batch ", "(and 2 more)", "(and 9 for other reasons)")
	if strings.Contains(r.Text, other.String()) {
		t.Errorf("it names a batch that it could not serve: %s", r.Text)
	}
}

// F11: of a paused class a worker says who paused it, and what resumes it.
func TestAnIdleWorkerNamesThePausedClass(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s", items(3)), cpu("gpu", items(2), func(st *candor.Step) { st.Class = candor.ClassScript }))
	f.do(Pause{change("class:cpu")})
	f.do(Pause{change("class:script")})
	f.now = f.now.Add(time.Minute)
	r := f.why("w1")
	f.expect(r, candor.ReasonClassPaused, "w1 takes none of 5 queued tasks: 5 refused, for instance 3 since class cpu is paused by ann at 2026-02-07T21:45:00.000Z (cleaning)")
	if r.Next != "candor resume class:cpu" || !r.Since.Equal(epoch) {
		t.Errorf("next %q, since %s", r.Next, r.Since)
	}
	f.do(Resume{change("all")})
	f.do(Pause{change("all")})
	r = f.why("w1")
	f.expect(r, candor.ReasonAllPaused, "everything is paused by ann at 2026-02-07T21:46:00.000Z (cleaning)")
	if r.Next != "candor resume all" {
		t.Errorf("next %q", r.Next)
	}
}

// F12: a worker that waits for back-offs says when the first is over, and of what.
func TestAnIdleWorkerNamesTheNextTry(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("s", retries(2), func(st *candor.Step) { st.Backoff = candor.Duration(time.Minute) })).Batch
	f.claim("w1", exit1(f.take("w1")))
	id := f.tasksOf(b)[0].id
	x := f.do(Why{"w1"}).(candor.Explanation)
	f.expect(x.Reason, candor.ReasonBackoff, "1 refused, since their next try waits its time, the first at 2026-02-07T21:46:00.000Z: s ("+id.String()+")"+
		" (attempt 2 of 3), last failure: exit 1: no such file")
	if len(x.Queue) != 1 || x.Queue[0].Example != id || x.Queue[0].Checks.Verdict != candor.VerdictNotNow {
		t.Errorf("queue: %+v", x.Queue)
	}
	f.do(Cancel{change(id.String())})
	f.expect(f.why("w1"), candor.ReasonIdleNoWork, "nothing is queued")
}

// A load that was ordered for another worker is no task that this one refuses,
// and the count is of the tasks that the words are true of.
func TestAnIdleWorkerCountsWhatItsWordsAreTrueOf(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{MaxHot: 1}})
	f.joinServing("w1", []string{"a", "b"}, serving())
	f.joinServing("w2", []string{"a", "b"}, serving())
	f.submit(llm("topics", "a", 3))
	f.submit(llm("titles", "b", 2))
	f.do(OrderModel{candor.OrderRequest{Kind: candor.OrderLoad, Model: "a", Workers: []string{"w2"}}})
	r := f.why("w1")
	has(t, r.Text, "w1 takes none of 5 queued tasks: 5 refused, for instance 3 since llm tasks need a loaded: w1 has no model loaded")
	if strings.Contains(r.Text, "other reasons") {
		t.Error(r.Text)
	}
}

// What several kinds of tasks could be taken of is told as one number.
func TestAWorkerAboutToAskCountsAllItCouldTake(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", func(in *candor.WorkerInfo) { in.Slots = 9 })
	f.submit(cpu("s", items(2)), cpu("gpu", func(st *candor.Step) { st.Class = candor.ClassScript }))
	f.expect(f.why("w1"), candor.ReasonIdleClaiming, "w1 could take 3 of 3 queued tasks")
}
