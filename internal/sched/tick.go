package sched

import (
	"fmt"
	"slices"
	"time"

	"candor"
)

// tick lets time pass. Its work depends on what lives, never on history.
func (s *State) tick() {
	for t := s.timers.due(s.now); t != nil; t = s.timers.due(s.now) {
		s.retryDue(t)
	}
	for _, w := range s.roster {
		s.checkWorker(w)
	}
	s.forgetWorkers()
	s.checkStuck()
	for _, b := range s.order {
		s.checkExpiry(b)
	}
	s.goOnClosing()
	s.closed = 0 // the next round has its own
	if s.unused {
		s.dropShapes()
	}
	s.relaxAvoid()
	s.place()
	s.keepRoom()
	s.askIdle()
	s.keepAccounts()
	s.storeAccounts()
	s.evict()
	s.monitorLine()
	s.round++
	s.glimpse = glimpse{}
	s.shareLater()
}

// retryDue offers a task whose back-off is over.
func (s *State) retryDue(t *task) {
	t.lane.shape.backoff--
	t.past.notBefore, t.past.reason = fromMicro(0), nil
	s.touch(t)
	s.offer(t.lane, t)
}

// checkWorker notices silence: of the process, and of its claim loop alone.
func (s *State) checkWorker(w *worker) {
	if w.state == candor.WorkerGone {
		s.reclaim(w)
		return
	}
	silent := s.now.Sub(w.seen)
	if silent >= s.cfg.Lost && w.state != candor.WorkerLost {
		w.state = candor.WorkerLost
		s.touchWorker(w)
		r := s.lostReason(w)
		w.setReason(s.now, r)
		s.event(&candor.Event{
			Level: candor.LevelWarn, Code: candor.EventWorkerLost, Worker: w.info.Name, Reason: candor.ReasonWorkerLost,
			Text: fmt.Sprintf("Worker %s; %s in its hands, taken back after %s of silence", r.Text,
				count(len(w.running), "task"), candor.ShortDuration(s.cfg.Lease)),
		})
	}
	if w.state == candor.WorkerLost {
		if silent >= s.cfg.Lease {
			s.reclaim(w)
		}
		return
	}
	s.openProbe(w)
	s.checkAsking(w)
}

// reclaim takes the tasks back from a worker that is lost for too long, or
// gone. If a supervisor can end their processes, it is asked to first; nobody
// else may begin while an attempt's process may be alive and can be reached.
func (s *State) reclaim(w *worker) {
	for _, t := range slices.Clone(w.running) {
		if t.run.fencing {
			if !s.supervised(w) {
				s.reclaimBlind(t, w)
			}
			continue
		}
		if s.supervised(w) {
			t.run.fencing = true
			s.hosts.orders++
			s.event(&candor.Event{
				Level: candor.LevelWarn, Code: candor.EventLeaseExpired, Worker: w.info.Name, Batch: t.batch().rec.ID, Task: t.id,
				Lease: t.run.lease, Attempt: int(t.attempt),
				Text: fmt.Sprintf("Lease %d of task %s (%s) expired: %s silent for %s; its supervisor is asked to end it",
					t.run.lease, t.id, t.name(), w.info.Name, candor.ShortDuration(s.now.Sub(w.seen))),
			})
			continue
		}
		s.reclaimBlind(t, w)
	}
}

// reclaimBlind takes a task back though nobody can tell whether its process
// still runs, and names the process.
func (s *State) reclaimBlind(t *task, w *worker) {
	s.runsTwice(t, w, processOf(t))
	s.lose(t, candor.NewReason(candor.ReasonLeaseExpired, fmt.Sprintf("%s silent for %s (lease %s)",
		w.info.Name, candor.ShortDuration(s.now.Sub(w.seen)), candor.ShortDuration(s.cfg.Lease))), false)
}

// processOf names a task's process, as far as its worker told.
func processOf(t *task) string {
	if pid := t.run.progress.PID; pid != 0 {
		return fmt.Sprintf("pid %d", pid)
	}
	return "its process"
}

// checkStuck warns of running attempts in which nothing moved for too long.
func (s *State) checkStuck() {
	for _, w := range s.roster {
		for _, t := range w.running {
			limit := s.cfg.Stuck[t.step.spec.Class]
			if t.run.stuck || limit <= 0 || s.now.Sub(t.run.moved) < limit || w.state == candor.WorkerLost || !w.frozen.IsZero() || w.hot != nil || waits(t.run.progress.Kind) {
				continue
			}
			t.run.stuck = true
			s.event(&candor.Event{
				Level: candor.LevelWarn, Code: candor.EventTaskStuck, Worker: w.info.Name, Batch: t.batch().rec.ID, Task: t.id,
				Attempt: int(t.attempt), Lease: t.run.lease, Class: t.step.spec.Class, Reason: candor.ReasonStuck,
				Text: "Stuck task detected: " + s.sayStuck(t),
			})
		}
	}
}

// waits tells whether an attempt waits for something that is not its own: a slot
// of the model server, a card to cool, a model to come or to leave, the brain to
// take its result.
func waits(kind string) bool {
	return kind == "result" || kind == "slot" || kind == "heat" || kind == "load" || kind == "unload"
}

func (s *State) sayStuck(t *task) string {
	r := t.run
	last := "nothing since it started"
	if r.progress.Kind != "" && r.progress.Kind != "start" {
		last = fmt.Sprintf("last %s %s ago", r.progress.Kind, candor.ShortDuration(s.now.Sub(r.moved)))
	}
	if r.progress.State != "" {
		last += ", process " + r.progress.State
	}
	if r.progress.PID != 0 {
		last += fmt.Sprintf(" (pid %d)", r.progress.PID)
	}
	return fmt.Sprintf("%s (%s) on %s for %s: %s", t.id, t.name(), r.worker, candor.ShortDuration(s.now.Sub(r.started)), last)
}

// batchExpired is why the tasks of a batch that expired do not run.
const batchExpired = "its batch expired"

func (s *State) checkExpiry(b *batch) {
	if b.rec.State != candor.BatchActive || b.rec.Cancelled || b.rec.ExpiresAt.IsZero() || s.now.Before(b.rec.ExpiresAt) {
		return
	}
	if b.rec.Kind == candor.BatchOrder {
		if b.counts[processing] > 0 {
			return // it was taken in time; its worker bounds it from here on
		}
		s.closeBatch(b, candor.ReasonOrderExpired, s.orderExpired(&b.steps[0].tasks[0]))
		return
	}
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventBatchExpired, Batch: b.rec.ID,
		Text: fmt.Sprintf("Batch %s (%s) expired after %s: %s", b.rec.ID, b.rec.Name,
			candor.ShortDuration(s.now.Sub(b.rec.CreatedAt)), sayCounts(b.counts)),
	})
	s.closeBatch(b, candor.ReasonExpired, batchExpired)
}

// relaxAvoid lets tasks go back to workers they avoid, once no other living
// worker could take them: a second try there beats waiting for ever.
func (s *State) relaxAvoid() {
	for _, sh := range slices.Clone(s.shapeList) {
		if len(sh.want.Avoid) == 0 || sh.ready == 0 || s.anyOther(sh) {
			continue
		}
		for len(sh.lanes) > 0 {
			t := sh.head()
			s.withdraw(t)
			t.past.avoid = nil
			s.touch(t)
			s.enqueue(t)
		}
	}
}

func (s *State) anyOther(sh *shape) bool {
	want := sh.want
	want.Avoid = nil
	for _, w := range s.roster {
		if w.present() && !slices.Contains(sh.want.Avoid, w.info.Name) && s.couldEver(&want, w) {
			return true
		}
	}
	return false
}

// Next is when a Tick has something to do, for a loop that would rather sleep;
// at most one second ahead, since silence has no event of its own.
func (s *State) Next() time.Time {
	if s.Closing() {
		return s.now
	}
	next := s.now.Add(time.Second)
	if len(s.timers) > 0 && s.timers[0].at.Before(next) {
		return s.timers[0].at
	}
	return next
}
