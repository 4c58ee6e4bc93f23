package sched

import (
	"fmt"
	"strconv"
	"time"

	"candor"
)

// claim takes in results and hands out what goes first among the shapes this
// worker may take.
func (s *State) claim(c *Claim) (candor.ClaimReply, error) {
	req, again := &c.Req, c.Again
	w, err := s.alive(c.Worker, req.Session)
	if err == nil {
		err = s.lookFirst(c)
	}
	if err != nil {
		return candor.ClaimReply{}, err
	}
	if !again {
		s.hear(w, req.View)
	}
	reply := candor.ClaimReply{Results: s.results(w, c)}
	if req.Max <= 0 {
		return reply, nil
	}
	if !again {
		s.givenUp(w)
		s.asks(w, req.Wait.D())
	}
	have := s.haveAsking(w)
	if again {
		s.countRaces(&w.races, w, &have)
	}
	if again && !c.Last && s.stillFruitless(w, &have) {
		reply.Report = w.report
		return reply, nil
	}
	turns := s.turnsOf(w, &have)
	shares := s.sharing(w, &have)
	specs := map[*step]int{}
	most := req.Max
	if w.quarantined != nil {
		most = 1
	}
	for len(reply.Tasks) < most && !have.full() {
		sh := turns.next()
		if sh == nil {
			break
		}
		if sh.want.VRAM > 0 || len(reply.Tasks) > 0 && full(&have, sh) {
			have = s.haveAsking(w)
			if code, _ := Eligible(&sh.want, &have, nil); code != "" {
				turns.drop()
				continue
			}
		}
		if shares.over(&have, sh) {
			turns.drop()
			continue
		}
		t := sh.head()
		s.start(t, w)
		turns.taken()
		have.Running.add(sh.want.Class, 1)
		s.assign(&reply, specs, t)
	}
	have.share = nil
	s.claimEnds(w, &have, &reply, shares.left)
	w.races.waits = len(reply.Tasks) == 0 && req.Wait > 0 && !c.Last
	return reply, nil
}

// claimEnds notes what a claim brought, and what it left to others. One that
// brought nothing says why.
func (s *State) claimEnds(w *worker, have *Have, reply *candor.ClaimReply, left bool) {
	if left {
		s.leftSome()
	}
	if len(reply.Tasks) == 0 {
		reply.Report = s.report(s.sharing(w, have))
		reply.Report.Lost = s.races(w, have)
		s.idleBecause(w, reply.Report)
		s.sawAll(w)
		return
	}
	w.report, w.reason, w.idle = nil, nil, fromMicro(0)
	if left {
		w.report = s.report(s.sharing(w, have))
	}
}

// haveAsking is have of a worker that asks this very moment: only a process that
// is stopped will not hear the answer.
func (s *State) haveAsking(w *worker) Have {
	have := s.have(w)
	if w.frozen.IsZero() {
		have.Mute = nil
	}
	return have
}

// full tells whether no more of a shape's kind can begin.
func full(h *Have, sh *shape) bool {
	taken, most := h.room(sh.want.Class)
	return taken >= most
}

// asks notes that a worker's claim loop is alive.
func (s *State) asks(w *worker, wait time.Duration) {
	w.asked = s.now
	w.races.seen = s.taken // what went before it asked, it has not lost
	w.asksSoon(s.now, wait)
	if w.failing != nil && w.askedIn == w.session {
		s.answeredAgain(w) // a second claim in one session: the first was answered
	}
	w.askedIn = w.session
	if w.silent && w.failing == nil {
		w.silent = false
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventWorkerBack, Worker: w.info.Name,
			Text: fmt.Sprintf("Worker %s asks for work again", w.info.Name),
		})
	}
}

// races names the tasks that a waiting claim lost: it could have had them, and
// somebody who had asked earlier was served first.
func (s *State) races(w *worker, have *Have) []candor.Race {
	var out []candor.Race
	for _, sh := range s.shapeList {
		l := &sh.last
		if sh.ready > 0 || l.task == nil || l.winner == w.info.Name || l.at.Before(w.asked) {
			continue
		}
		if code, _ := Eligible(&sh.want, have, nil); code == "" {
			out = append(out, candor.Race{Task: l.task.id, Name: l.task.name(), Winner: l.winner, Margin: candor.Duration(w.asked.Sub(l.asked))})
		}
	}
	return out
}

// start leases the first task of its lane to a worker.
func (s *State) start(t *task, w *worker) {
	l := t.lane
	sh := l.shape
	l.tasks.remove(t)
	s.shrink(l)
	s.leaveLane(t)
	s.passings.note(t, w.info.Name, s.now)
	s.unkeep(t)
	s.move(t, processing)
	t.attempt++
	t.run = &run{lease: s.meta.NextLease, worker: w.info.Name, started: s.now, moved: s.now}
	t.run.progress.Kind = "start"
	s.meta.NextLease++
	s.leases[t.run.lease] = t
	if t.past != nil {
		t.past.reason, t.past.notBefore = nil, fromMicro(0)
	}
	w.take(t)
	w.unseen += t.vram()
	s.shared(w, sh.want.Class)
	if t.isOrder() {
		s.round++
	}
	if sh.ready == 0 {
		s.replan()
	}
	sh.last = taken{task: t, winner: w.info.Name, at: s.now, asked: w.asked}
	s.tookOne(sh, w)
	s.claimed(t, w)
	s.probeBegins(t, w)
}

// claimed tells of a claim. It runs for every task, so it builds its text by hand.
func (s *State) claimed(t *task, w *worker) {
	b := make([]byte, 0, 96)
	b = append(b, w.info.Name...)
	b = append(b, " claimed "...)
	b = append(b, t.step.spec.Class...)
	b = append(b, " task "...)
	b, _ = t.id.AppendText(b)
	b = append(b, " ("...)
	b = append(b, t.name()...)
	b = append(b, ')')
	if t.attempt > 1 {
		b = append(b, ", attempt "...)
		b = strconv.AppendInt(b, int64(t.attempt), 10)
	}
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskClaimed, Text: string(b), Batch: t.step.batch.rec.ID, Task: t.id,
		Attempt: int(t.attempt), Lease: t.run.lease, Worker: w.info.Name, Class: t.step.spec.Class, Model: t.step.spec.Model,
	})
}

// assign adds a leased task to a reply, its step once for all its tasks.
func (s *State) assign(r *candor.ClaimReply, specs map[*step]int, t *task) {
	i, ok := specs[t.step]
	if !ok {
		i = len(r.Steps)
		specs[t.step] = i
		r.Steps = append(r.Steps, *s.wire(t.step))
	}
	r.Tasks = append(r.Tasks, candor.Assignment{
		Task: t.id, Spec: i, Index: int(t.index), Item: t.item, Attempt: int(t.attempt), Lease: t.run.lease,
	})
}

// wire is a step as workers get it, made once.
func (s *State) wire(st *step) *candor.StepSpec {
	if st.wire != nil {
		return st.wire
	}
	b := st.batch
	spec := &candor.StepSpec{
		Batch: b.rec.ID, BatchName: b.rec.Name, PlanDir: b.rec.PlanDir, Step: *st.spec, Manifests: st.manifests,
	}
	if s.cfg.BatchRoot != "" {
		spec.BatchDir = s.cfg.BatchRoot + "/" + b.rec.ID.String()
	}
	if st.spec.Each != nil {
		spec.Chunk = st.spec.Each.Chunk
	}
	spec.Step.Each = nil
	for _, n := range st.spec.Needs {
		up := b.step(n.Step)
		spec.Needs = append(spec.Needs, candor.NeedSpec{Need: n, FansOut: up.spec.Each != nil, Outputs: up.spec.Outputs})
	}
	st.wire = spec
	return spec
}
