package sched

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"candor"
)

// checkEnds is the law that nobody is told to end, drop or void a lease that is
// not over, unless its attempt was ordered to end, and that a supervisor ends
// only what is its own and whose worker says nothing.
func (w *world) checkEnds(cmd Command, reply any) {
	s := w.s
	of := func(lease int64, name string) *task {
		if t := s.leases[lease]; t != nil && t.run.worker == name {
			return t
		}
		return nil
	}
	switch r := reply.(type) {
	case candor.RegisterReply:
		name := cmd.(Register).Req.Info.Name
		for _, lease := range r.Drop {
			if t := of(lease, name); t != nil {
				w.t.Fatalf("%s is to drop lease %d, under which it runs %s", name, lease, t.name())
			}
		}
	case candor.HeartbeatReply:
		hb := cmd.(Heartbeat)
		for _, a := range r.Abort {
			if t := of(a.Lease, hb.Worker); t != nil && t.run.abort == "" {
				w.t.Fatalf("%s is to end lease %d, under which it runs %s", hb.Worker, a.Lease, t.name())
			}
		}
		for _, lease := range r.Void {
			named := slices.ContainsFunc(hb.Req.Running, func(p candor.LeaseProgress) bool { return p.Lease == lease })
			if of(lease, hb.Worker) == nil || named {
				w.t.Fatalf("%s is to void lease %d, which it named: %v", hb.Worker, lease, named)
			}
		}
	case candor.HostReply:
		supervisor := cmd.(HostSeen).Report.Supervisor
		for _, f := range r.Fence {
			t, k := of(f.Lease, f.Worker), s.workers[f.Worker]
			if t == nil || !t.run.fencing || k.info.Supervisor != supervisor {
				w.t.Fatalf("%s is to end lease %d of %s", supervisor, f.Lease, f.Worker)
			}
		}
	}
}

// echo brings a word of a session or of a process that is over once more, as a
// slow road may. Whoever it was, nothing of those that came after ends by it.
func (w *world) echo() {
	w.commit()
	var stale []Command
	for _, k := range w.workers {
		now := w.s.workers[k.info.Name]
		for _, cmd := range k.past {
			if now == nil || sessionOf(cmd) != now.session {
				stale = append(stale, cmd)
			}
		}
	}
	for _, rep := range w.reports {
		current := slices.ContainsFunc(rep.Workers, func(hw candor.HostWorker) bool {
			now := w.s.workers[hw.Name]
			return now != nil && now.info.PID == hw.PID
		})
		rep.Fenced = slices.DeleteFunc(slices.Clone(rep.Fenced), func(f candor.FenceReport) bool { return w.s.leases[f.Lease] != nil })
		if !current {
			stale = append(stale, HostSeen{rep})
		}
	}
	if len(stale) == 0 {
		return
	}
	cmd := rapid.SampledFrom(stale).Draw(w.t, "stale")
	before := w.s.essence()
	_, isReport := cmd.(HostSeen)
	w.do(cmd, func(_ any, err error) {
		if refused := candor.CodeOf(err) == candor.CodeStale; refused == isReport {
			w.t.Fatalf("%T of a session that is over: %v", cmd, err)
		}
	})
	if after := w.s.essence(); after != before {
		w.t.Fatalf("%T of a session that is over changed\n%s\nto\n%s", cmd, before, after)
	}
	if c := w.stored(); c != nil {
		w.t.Fatalf("%T of a session that is over left %s", cmd, dump(c))
	}
}

func sessionOf(cmd Command) int64 {
	switch c := cmd.(type) {
	case Claim:
		return c.Req.Session
	case Heartbeat:
		return c.Req.Session
	case Leave:
		return c.Req.Session
	default:
		panic(fmt.Sprintf("%T has no session", cmd))
	}
}

// says remembers what a worker has said; a few of them are enough.
func (k *simWorker) says(cmd Command) Command {
	if k.past = append(k.past, cmd); len(k.past) > 20 {
		k.past = k.past[1:]
	}
	return cmd
}
