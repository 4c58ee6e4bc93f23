package sched

import (
	"container/heap"
	"slices"

	"candor"
)

// checkLaws recounts everything from scratch and asks everybody why.
func (w *world) checkLaws(cmd Command) {
	w.t.Helper()
	w.checkCounts(cmd)
	w.checkQueue(cmd)
	w.checkLeases(cmd)
	w.checkOnce(cmd)
	w.checkOrders(cmd)
	w.checkFruitless(cmd)
	w.checkReasons(cmd)
	w.checkReports(cmd)
	w.checkAccounts(cmd)
}

func (w *world) checkCounts(cmd Command) {
	s := w.s
	var all [stateCount]int
	for _, b := range s.order {
		var sum [stateCount]int
		for _, st := range b.steps {
			var n [stateCount]int
			for i := range st.tasks {
				n[st.tasks[i].state]++
			}
			if n != st.counts {
				w.t.Fatalf("%T: step %s counts %v, there are %v", cmd, st.spec.Name, st.counts, n)
			}
			for i := range n {
				sum[i] += n[i]
			}
		}
		if sum != b.counts {
			w.t.Fatalf("%T: batch %s counts %v, there are %v", cmd, b.rec.ID, b.counts, sum)
		}
		for i := range sum {
			all[i] += sum[i]
		}
		open := sum[blocked] + sum[queued] + sum[processing]
		if waiting := sum[blocked] + sum[queued]; b.rec.State == candor.BatchActive && b.rec.Cancelled && waiting > 0 && b.closing == nil {
			w.t.Fatalf("%T: batch %s is cancelled, and nobody ends the %d tasks that wait", cmd, b.rec.ID, waiting)
		}
		if ended := b.rec.State == candor.BatchComplete; ended != b.settled() || ended && open > 0 {
			w.t.Fatalf("%T: batch %s is %s, settled %v, with %v", cmd, b.rec.ID, b.rec.State, b.settled(), sum)
		}
	}
	if all != s.counts {
		w.t.Fatalf("%T: counts %v, there are %v", cmd, s.counts, all)
	}
}

func (w *world) checkQueue(cmd Command) {
	type sizes struct{ ready, held, backoff int }
	want := map[*shape]sizes{}
	for _, b := range w.s.order {
		for t := range b.eachTask() {
			if (t.state == queued) != (t.lane != nil) {
				w.t.Fatalf("%T: %s is %s, in a lane: %v", cmd, t.name(), stateNames[t.state], t.lane != nil)
			}
			if t.state != queued {
				continue
			}
			if b.closing != nil {
				if t.lane.shape != nil {
					w.t.Fatalf("%T: %s can be handed out, and its batch was cancelled", cmd, t.name())
				}
				continue
			}
			n := want[t.lane.shape]
			switch {
			case t.place == 0:
				n.backoff++
			case b.pause != nil:
				n.held++
			default:
				n.ready++
			}
			want[t.lane.shape] = n
			if t.place != 0 && t.lane.tasks.at(t.place) != t {
				w.t.Fatalf("%T: %s is not where it says in its lane", cmd, t.name())
			}
		}
	}
	for _, sh := range w.s.shapeList {
		if sh.refs == 0 && w.s.unused {
			continue // it goes with the next tick
		}
		if got := (sizes{sh.ready, sh.held, sh.backoff}); got != want[sh] || sh.total() == 0 && len(sh.want.Avoid) > 0 {
			w.t.Fatalf("%T: shape %s has %+v, there are %+v", cmd, sh.want.String(), got, want[sh])
		}
		w.checkHeap(cmd, sh)
	}
}

// checkHeap tells whether the heaps of a shape are in order, lanes and tasks.
func (w *world) checkHeap(cmd Command, sh *shape) {
	ordered := func(h heap.Interface) bool {
		for i := 1; i < h.Len(); i++ {
			if h.Less(i, (i-1)/2) {
				return false
			}
		}
		return true
	}
	if !ordered(&sh.lanes) {
		w.t.Fatalf("%T: lanes of %s are out of order", cmd, sh.want.String())
	}
	for i, l := range sh.lanes {
		if l.pos != i || l.tasks.len() == 0 || !ordered(&l.tasks.late) || !l.tasks.inOrder() {
			w.t.Fatalf("%T: lane %d of %s: pos %d, %d tasks, or out of order", cmd, i, sh.want.String(), l.pos, l.tasks.len())
		}
	}
}

// at is the task that stands at a place of a line.
func (l *line) at(place int32) *task {
	if place < 0 {
		return l.late[-place-1]
	}
	return l.run[int(place)-1-l.base]
}

// inOrder tells whether the run of a line is in order, begins and ends with a
// task, and whether the line counts right.
func (l *line) inOrder() bool {
	n := len(l.late)
	var before *task
	for i, t := range l.run {
		if t == nil {
			if i == 0 || i == len(l.run)-1 {
				return false
			}
			continue
		}
		if n++; before != nil && t.before(before) {
			return false
		}
		before = t
	}
	return n == l.n
}

func (w *world) checkLeases(cmd Command) {
	s, held := w.s, 0
	for _, k := range s.roster {
		var sum candor.Bytes
		for _, t := range k.running {
			held++
			sum += t.vram()
			if t.state != processing || t.run.worker != k.info.Name || s.leases[t.run.lease] != t {
				w.t.Fatalf("%T: %s runs %s, which is %s on %s", cmd, k.info.Name, t.name(), stateNames[t.state], t.run.worker)
			}
		}
		if sum != k.reserved || k.unseen > k.reserved {
			w.t.Fatalf("%T: %s reserves %s (unseen %s) for %s", cmd, k.info.Name, k.reserved, k.unseen, sum)
		}
		if len(k.running) == 0 && k.idle.IsZero() {
			w.t.Fatalf("%T: %s runs nothing since never", cmd, k.info.Name)
		}
	}
	if held != len(s.leases) || held != s.counts[processing] {
		w.t.Fatalf("%T: %d run, %d leases, %d processing", cmd, held, len(s.leases), s.counts[processing])
	}
}

// checkOnce is the law that no task is handed out again while a process of a
// former attempt lives, unless it was said.
func (w *world) checkOnce(cmd Command) {
	for lease, p := range w.procs {
		t := w.s.tasks.find(p.Task)
		if t != nil && t.state == processing && t.run.lease != lease && !w.told[lease] {
			w.t.Fatalf("%T: %s runs under lease %d on %s, while lease %d lives on %s and nobody said so",
				cmd, t.name(), t.run.lease, t.run.worker, lease, p.worker.info.Name)
		}
	}
}

// checkAccounts adds up where each worker's time went: it is all of its time
// since it joined, no less and no more, and goes to what it does now.
func (w *world) checkAccounts(cmd Command) {
	for _, k := range w.s.roster {
		v := w.s.workerView(k, w.s.slotsThere())
		a, sum := v.Account, candor.Duration(0)
		for code, d := range a.Sums {
			if !slices.Contains(candor.ReasonCodes(), code) || d < 0 {
				w.t.Fatalf("%T: %s has %s of %s", cmd, k.info.Name, d, code)
			}
			sum += d
		}
		if whole := a.To.Sub(a.From); sum.D() != whole || whole < 0 {
			w.t.Fatalf("%T: %s has an account of %s for %s: %v", cmd, k.info.Name, sum, whole, a.Sums)
		}
		if gone := k.state == candor.WorkerGone; !gone && !a.To.Equal(w.s.now) || gone && a.To.After(w.s.now) {
			w.t.Fatalf("%T: the account of %s ends at %s, now is %s", cmd, k.info.Name, a.To, w.s.now)
		}
		if k.account.code != w.s.accountCode(k) {
			w.t.Fatalf("%T: the time of %s goes to %s, and should to %s", cmd, k.info.Name, k.account.code, w.s.accountCode(k))
		}
	}
}

// checkReasons asks every waiting task and every idle worker: the answer is one
// of the list, and never that nothing explains it.
func (w *world) checkReasons(cmd Command) {
	codes := candor.ReasonCodes()
	for _, b := range w.s.order {
		for t := range b.eachTask() {
			reply, err := w.s.Apply(w.now, Why{t.id.String()})
			if err != nil {
				w.t.Fatalf("%T: why %s: %v", cmd, t.name(), err)
			}
			r := reply.(candor.Explanation).Reason
			if !slices.Contains(codes, r.Code) || r.Code == candor.ReasonUnexplained || r.Text == "" || r.Since.IsZero() {
				w.t.Fatalf("%T: %s is %s because %s", cmd, t.name(), stateNames[t.state], dump(r))
			}
		}
	}
	for _, k := range w.s.workerViews() {
		if r := k.Reason; !slices.Contains(codes, r.Code) || r.Code == candor.ReasonUnexplained || r.Text == "" {
			w.t.Fatalf("%T: worker %s is %s because %s", cmd, k.Name, k.State, dump(r))
		}
	}
}

// checkClaim holds the claim against the predicate that explains it: whatever
// could be taken was, and a result has a verdict and leaves a trace.
func (w *world) checkClaim(c *Claim, reply candor.ClaimReply, before int) {
	k := w.s.workers[c.Worker]
	have := w.s.have(k)
	for _, a := range reply.Tasks {
		class := reply.Steps[a.Spec].Step.Class
		if taken, most := have.room(class); taken > most {
			w.t.Fatalf("%s got a %s task, and runs %d of at most %d", c.Worker, class, taken, most)
		}
	}
	for _, sh := range w.s.shapeList {
		have.share = w.s.shareOf(k, &have, sh)
		code, _ := Eligible(&sh.want, &have, nil)
		why := w.s.ask(&sh.want, k, sh)
		first := candor.ReasonCode("")
		for _, check := range why.Checks {
			if !check.OK {
				first = check.Code
				break
			}
		}
		if first != code || (code == "") != (why.Verdict == candor.VerdictYes) {
			w.t.Fatalf("%s: the claim says %q, the explanation %q", sh.want.String(), code, first)
		}
		if sh.ready > 0 && code == "" && len(reply.Tasks) < c.Req.Max {
			w.t.Fatalf("%s could take %s and got %d of %d", c.Worker, sh.want.String(), len(reply.Tasks), c.Req.Max)
		}
		if sh.ready > 0 && code != "" && reply.Report != nil && reply.Report.Refused[code] == 0 && !sh.want.othersOrder(c.Worker) {
			w.t.Fatalf("%s: %s is refused for %s, and the report is silent: %s", c.Worker, sh.want.String(), code, dump(reply.Report))
		}
	}
	if c.Req.Max > 0 && (len(reply.Tasks) == 0) != (reply.Report != nil) {
		w.t.Fatalf("%d tasks, report %v", len(reply.Tasks), reply.Report)
	}
	for i, r := range c.Req.Results {
		verdict := candor.ResultTaken
		if reply.Results != nil {
			verdict = reply.Results[i].Verdict
		}
		traced := slices.ContainsFunc(w.s.changes.Events[before:], func(e candor.Event) bool { return e.Task == r.Task && e.Lease == r.Lease })
		if !traced && verdict != candor.ResultRepeated {
			w.t.Fatalf("result of %d under %d was %s without an event", r.Task, r.Lease, verdict)
		}
	}
}
