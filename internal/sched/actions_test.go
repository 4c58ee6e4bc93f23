package sched

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// start gives a worker a new process. It ends what the former one left behind,
// or says what it could not end.
func (w *world) start(k *simWorker, verified bool) {
	w.kill(k)
	w.pid++
	k.alive, k.frozen, k.session, k.info.PID, k.exit = true, false, 0, w.pid, nil
	var left []string
	for _, lease := range w.leasesOf(k) {
		if verified {
			delete(w.procs, lease)
		} else {
			left = append(left, fmt.Sprintf("pid %d", 5000+lease))
		}
	}
	w.register(k, verified, left)
}

func (w *world) register(k *simWorker, verified bool, left []string) {
	req := candor.RegisterRequest{Protocol: candor.Protocol, Info: k.info, View: w.sees(k), Verified: verified, Leftover: left}
	if k.server != nil {
		req.Catalog = catalog()
	}
	if rapid.IntRange(0, 3).Draw(w.t, "programs told") > 0 {
		req.Programs = onPath(k.info.Tools...)
	}
	for _, lease := range w.leasesOf(k) {
		if !w.procs[lease].orphan {
			req.Holds = append(req.Holds, lease)
		}
	}
	for _, r := range k.spool {
		req.Holds = append(req.Holds, r.Lease)
	}
	k.epoch++
	k.void, k.asked = nil, nil
	pid := k.info.PID
	w.do(Register{req}, func(reply any, err error) {
		if err != nil {
			w.t.Fatalf("registration refused: %v", err)
		}
		if !k.alive || k.info.PID != pid {
			return
		}
		r := reply.(candor.RegisterReply)
		k.session = r.Session
		for _, lease := range r.Drop {
			delete(w.procs, lease)
		}
	})
}

// kill ends a worker's process; those of its attempts live on as orphans.
func (w *world) kill(k *simWorker) {
	if k.alive && k.info.Supervisor != "" {
		k.exit = &candor.HostWorker{Name: k.info.Name, PID: k.info.PID, State: "exited", Exit: "signal: KILL (9)"}
	}
	k.alive, k.session = false, 0
	if k.server != nil && !k.server.attached {
		k.server.models, k.server.state = nil, candor.ServerUp
	}
	for _, lease := range w.leasesOf(k) {
		w.procs[lease].orphan = true
	}
}

// leasesOf lists what really runs on a worker's host.
func (w *world) leasesOf(k *simWorker) []int64 {
	var out []int64
	for lease, p := range w.procs {
		if p.worker == k {
			out = append(out, lease)
		}
	}
	slices.Sort(out)
	return out
}

// up tells whether a worker's process can act in its session.
func (k *simWorker) up() bool { return k.alive && !k.frozen && k.session != 0 }

// claim delivers what is in the spool and asks for work. A lost answer leaves
// the worker with nothing but its doubts; a late one comes when it comes.
func (w *world) claim(k *simWorker, most int, road string) {
	session, voided, sent := k.session, k.epoch, slices.Clone(k.spool)
	req := candor.ClaimRequest{Session: session, Results: sent, Max: most, View: w.sees(k)}
	arrive := func(reply any, err error) {
		if !k.up() || k.session != session || k.epoch != voided {
			return
		}
		if err != nil {
			k.session = 0 // it is told to register again
			return
		}
		r := reply.(candor.ClaimReply)
		if r.Results != nil && len(r.Results) != len(sent) {
			w.t.Fatalf("%d verdicts on %d results", len(r.Results), len(sent))
		}
		k.spool = slices.DeleteFunc(k.spool, func(o candor.Result) bool {
			return slices.ContainsFunc(sent, func(r candor.Result) bool { return r.Lease == o.Lease })
		})
		for _, a := range r.Tasks {
			if k.void[a.Lease] {
				continue
			}
			if k.fenced[a.Lease] {
				k.spool = append(k.spool, ended(a, candor.AttemptAborted, candor.ReasonFenced, "fenced"))
				continue
			}
			step := &r.Steps[a.Spec]
			w.procs[a.Lease] = &proc{Assignment: a, worker: k, manifests: step.Manifests, order: step.Step.Order, uses: w.serves(k, &step.Step)}
		}
	}
	w.do(k.says(Claim{Worker: k.info.Name, Req: req, Looked: true, Stored: w.disk.shown(sent)}), func(reply any, err error) {
		w.checkOrder(reply)
		w.checkVerdicts(reply, sent)
		switch road {
		case inTime:
			arrive(reply, err)
		case late:
			k.late = append(k.late, func() { arrive(reply, err) })
		}
	})
}

// What may become of the answer to a claim.
const (
	inTime = "in time"
	late   = "late"
	lost   = "lost"
)

// arrives brings one of the answers that were late, in any order.
func (w *world) arrives(k *simWorker) {
	if len(k.late) == 0 {
		return
	}
	i := rapid.IntRange(0, len(k.late)-1).Draw(w.t, "answer")
	arrive := k.late[i]
	k.late = slices.Delete(k.late, i, i+1)
	arrive()
}

// checkVerdicts is the law that no result which is on record is said to be refused.
func (w *world) checkVerdicts(reply any, sent []candor.Result) {
	r, _ := reply.(candor.ClaimReply)
	for i, v := range r.Results {
		t := w.disk.tasks[sent[i].Task]
		if v.Verdict == candor.ResultFenced && t.State == candor.TaskComplete && t.Lease == sent[i].Lease {
			w.t.Fatalf("%s is complete under lease %d, whose result is said to be %s: %s", t.ID, t.Lease, v.Verdict, v.Text)
		}
	}
}

// checkOrder is the law that leases grow, in the order in which they are durable.
func (w *world) checkOrder(reply any) {
	r, _ := reply.(candor.ClaimReply)
	for _, a := range r.Tasks {
		if a.Lease <= w.lease {
			w.t.Fatalf("lease %d was handed out after %d", a.Lease, w.lease)
		}
		w.lease = a.Lease
	}
}

// finish ends an attempt's process; its result goes into the spool.
func (w *world) finish(lease int64, outcome candor.AttemptOutcome, drop bool) {
	p := w.procs[lease]
	delete(w.procs, lease)
	if p.orphan {
		return // nobody saw it end
	}
	r := candor.Result{Task: p.Task, Lease: lease, Outcome: outcome}
	if p.order != nil && outcome == candor.AttemptDone {
		if r.Order, r.Reason = w.obey(p.worker, p.order); r.Reason != nil {
			outcome, r.Outcome = candor.AttemptPermanent, candor.AttemptPermanent
		}
	}
	if r.Reason != nil {
		// The order has failed.
	} else if outcome != candor.AttemptDone {
		r.Reason = candor.NewReason(candor.ReasonExitCode, "exit 1")
	} else if !drop {
		r.Manifests = map[string][]json.RawMessage{}
		for _, m := range p.manifests {
			r.Manifests[m.Key()] = drawItems(w.t)
		}
	}
	p.worker.spool = append(p.worker.spool, r)
}

func (w *world) heartbeat(k *simWorker, lost bool) {
	req := candor.HeartbeatRequest{Session: k.session, Doing: "waiting", View: w.sees(k)}
	if k.tell {
		req.Programs = onPath(k.info.Tools...)
	}
	for _, lease := range w.leasesOf(k) {
		if !w.procs[lease].orphan {
			req.Running = append(req.Running, candor.LeaseProgress{Lease: lease, Progress: candor.Progress{Kind: "output", At: w.now}})
		}
	}
	for _, r := range k.spool {
		req.Running = append(req.Running, candor.LeaseProgress{Lease: r.Lease})
	}
	for _, lease := range k.asked {
		if k.void[lease] {
			req.Void = append(req.Void, lease)
		}
	}
	w.do(k.says(Heartbeat{k.info.Name, req}), func(reply any, err error) {
		if lost || !k.up() || k.session != req.Session {
			return
		}
		if err != nil {
			k.session = 0
			return
		}
		k.tell = reply.(candor.HeartbeatReply).Tell
		w.renounce(k, reply.(candor.HeartbeatReply).Void)
		for _, o := range reply.(candor.HeartbeatReply).Abort {
			if p := w.procs[o.Lease]; p != nil && p.worker == k && !p.orphan {
				w.finish(o.Lease, candor.AttemptAborted, false)
			}
		}
	})
}

// renounce voids leases that a worker does not hold.
func (w *world) renounce(k *simWorker, leases []int64) {
	k.asked = leases
	for _, lease := range leases {
		held := slices.ContainsFunc(k.spool, func(r candor.Result) bool { return r.Lease == lease })
		if p := w.procs[lease]; held || p != nil && p.worker == k && !p.orphan {
			continue
		}
		if k.void == nil {
			k.void = map[int64]bool{}
		}
		k.void[lease] = true
	}
}

// leave is an orderly end: attempts are ended first.
func (w *world) leave(k *simWorker, crash string) {
	for _, lease := range w.leasesOf(k) {
		delete(w.procs, lease)
	}
	req := candor.LeaveRequest{Session: k.session, Why: "told to", Crash: crash}
	w.do(k.says(Leave{k.info.Name, req}), nil)
	w.kill(k)
}

// hostSeen is the supervisor's round: what it sees, and what it was asked to end.
func (w *world) hostSeen(supervisor string, clean int) {
	rep := candor.HostReport{Supervisor: supervisor}
	for _, k := range w.workers {
		if k.info.Supervisor != supervisor {
			continue
		}
		rep.Fenced = append(rep.Fenced, k.fence...)
		k.fence = nil
		switch {
		case k.exit != nil:
			rep.Workers = append(rep.Workers, w.examine(k, clean))
		case k.alive:
			state := map[bool]string{false: "running", true: "stopped"}[k.frozen]
			rep.Workers = append(rep.Workers, candor.HostWorker{Name: k.info.Name, PID: k.info.PID, State: state})
		}
	}
	w.reports = append(w.reports, rep)
	w.do(HostSeen{rep}, func(reply any, err error) {
		for _, o := range reply.(candor.HostReply).Fence {
			w.fence(o)
		}
	})
}

// examine is what a supervisor finds when a worker's process has ended: it ends
// the orphans, cannot, or has not looked yet.
func (w *world) examine(k *simWorker, clean int) candor.HostWorker {
	hw := *k.exit
	for _, lease := range w.leasesOf(k) {
		switch {
		case clean == 0:
			return hw
		case clean == 1 && w.procs[lease].orphan:
			hw.Leftover = append(hw.Leftover, fmt.Sprintf("pid %d", 5000+lease))
		default:
			delete(w.procs, lease)
		}
	}
	hw.Clean = len(hw.Leftover) == 0
	return hw
}

// fence ends an attempt's processes from outside.
func (w *world) fence(o candor.FenceOrder) {
	for _, k := range w.workers {
		if k.info.Name != o.Worker || slices.ContainsFunc(k.fence, func(f candor.FenceReport) bool { return f.Lease == o.Lease }) {
			continue
		}
		f := candor.FenceReport{Lease: o.Lease, Worker: o.Worker, Dead: rapid.IntRange(0, 3).Draw(w.t, "dead") > 0}
		if p := w.procs[o.Lease]; p != nil && f.Dead {
			w.finish(o.Lease, candor.AttemptFailed, false)
		} else if !f.Dead {
			f.Leftover = []string{fmt.Sprintf("pid %d", 5000+o.Lease)}
		}
		if k.fenced == nil {
			k.fenced = map[int64]bool{}
		}
		k.fenced[o.Lease] = true
		k.fence = append(k.fence, f)
	}
}

// pass lets time go by, or back.
func (w *world) pass() {
	w.commit()
	steps := []time.Duration{0, time.Second, time.Second, 2 * time.Second, 5 * time.Second, 11 * time.Second, 21 * time.Second, time.Hour, -30 * time.Second}
	w.now = w.now.Add(rapid.SampledFrom(steps).Draw(w.t, "time"))
	w.do(Tick{}, nil)
	w.still()
}

// submit brings a plan. Whether an ended batch has its key, the brain asks the
// store: the state knows those in memory only.
func (w *world) submit() {
	w.plans++
	sub := drawPlan(w.t, w.plans)
	for _, b := range w.disk.batches {
		if b.Key == sub.Key {
			sub.Key = ""
		}
	}
	w.do(Submit{Sub: sub, By: "bob"}, nil)
}

// change draws what a person may ask for.
func (w *world) change() {
	targets := []string{"all", "class:cpu", "class:llm", "worker:w1", "worker:w9"}
	for id := range w.s.batches {
		targets = append(targets, id.String())
	}
	for i := range w.s.tasks {
		targets = append(targets, w.s.tasks[i].first.String())
	}
	slices.Sort(targets)
	req := candor.ChangeRequest{By: "ann", Failed: rapid.IntRange(0, 3).Draw(w.t, "failed") == 0, DryRun: rapid.IntRange(0, 9).Draw(w.t, "dry") == 0}
	for range rapid.IntRange(1, 2).Draw(w.t, "targets") {
		req.Targets = append(req.Targets, rapid.SampledFrom(targets).Draw(w.t, "target"))
	}
	cmds := []Command{Cancel{req}, Retry{req}, Retry{req}, Pause{req}, Resume{req}, Resume{req}, Drain{req}, Undrain{req}}
	w.do(rapid.SampledFrom(cmds).Draw(w.t, "change"), nil)
}

// recall brings an ended batch back and retries it, as a brain does.
func (w *world) recall() {
	w.commit()
	for _, id := range slices.Sorted(maps.Keys(w.disk.batches)) {
		if w.disk.batches[id].State == candor.BatchComplete && w.s.batches[id] == nil {
			lb := w.disk.loadBatch(id)
			w.do(Admit{lb}, nil)
			w.do(Retry{candor.ChangeRequest{Targets: []string{id.String()}}}, nil)
			return
		}
	}
}
