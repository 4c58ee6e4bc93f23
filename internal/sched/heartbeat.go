package sched

import (
	"fmt"
	"slices"

	"candor"
)

// heartbeat notes what a worker's reporter says of its main loop.
func (s *State) heartbeat(name string, req *candor.HeartbeatRequest) (candor.HeartbeatReply, error) {
	w, err := s.alive(name, req.Session)
	if err != nil {
		return candor.HeartbeatReply{}, err
	}
	if p := req.Programs; p != nil {
		if err := p.Check(name); err != nil {
			return candor.HeartbeatReply{}, err
		}
	}
	s.hear(w, req.View)
	if w.doing != req.Doing {
		w.doing, w.doingAt = req.Doing, s.now.Add(-req.Since.D())
	}
	if req.Catalog != nil {
		w.catalog = req.Catalog
		s.ready++
		s.replan()
	}
	if req.Programs != nil {
		s.relearn(w, req.Programs)
	}
	s.noteFailing(w, req.Failing)
	s.listen(w, req)
	reply := s.tellings(w)
	reply.Abort = append(reply.Abort, s.strays(w, req.Running)...)
	return reply, nil
}

// strays orders attempts to end whose leases are over: their worker was silent
// for too long, and somebody else may have the task.
func (s *State) strays(w *worker, running []candor.LeaseProgress) []candor.AbortOrder {
	var out []candor.AbortOrder
	for i := range running {
		if t := s.leases[running[i].Lease]; t == nil || t.run.worker != w.info.Name {
			out = append(out, candor.AbortOrder{
				Lease: running[i].Lease, Reason: candor.ReasonFenced, Text: fmt.Sprintf("lease %d is over", running[i].Lease),
			})
		}
	}
	return out
}

// listen takes in the progress of running attempts, and notices leases that
// the worker does not name; see missed.
func (s *State) listen(w *worker, req *candor.HeartbeatRequest) {
	heard := make(map[int64]*candor.Progress, len(req.Running))
	for i := range req.Running {
		heard[req.Running[i].Lease] = &req.Running[i].Progress
	}
	for _, t := range slices.Clone(w.running) {
		p := heard[t.run.lease]
		if p == nil {
			s.missed(t, w, req.Void)
			continue
		}
		t.run.missed, t.run.named = 0, true
		s.progressed(t, p)
	}
}

// progressed compares a running attempt with what was last known of it.
func (s *State) progressed(t *task, p *candor.Progress) {
	r := t.run
	moved := p.Done != r.progress.Done || p.Note != r.progress.Note || p.At.After(r.progress.At)
	r.progress = *p
	if p.Kind == "result" && r.ended.IsZero() {
		r.ended = s.now
	}
	if !moved {
		return
	}
	r.moved = s.now
	if p.Kind != "cpu" && p.Kind != "start" {
		r.shown = s.now
	}
	if r.stuck {
		r.stuck = false
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventTaskMoving, Worker: r.worker, Batch: t.batch().rec.ID, Task: t.id,
			Attempt: int(t.attempt), Lease: r.lease, Class: t.step.spec.Class,
			Text: fmt.Sprintf("Task %s (%s) moves again on %s: %s", t.id, t.name(), r.worker, p.Kind),
		})
	}
}
