package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"candor"
	"candor/internal/sched"
)

// worker plays the agent of one card towards the core.
type worker struct {
	*gpu

	f       *farm
	info    candor.WorkerInfo
	session int64
	leases  []int64         // of all that it has in hand
	next    []given         // llm attempts that wait for the card
	order   *carried        // the order under way
	lastUse []time.Duration // by model
	began   time.Duration   // of what the card runs
	results []candor.Result // to be delivered
	asks    int             // the claim of it that is held; 0: none is
	asked   int             // claims that were held so far
}

// given is an attempt in hand.
type given struct {
	candor.Assignment
	task int // of the instance
}

// slots is how many llm attempts a card runs at once, and take how many its worker
// holds: one more in reserve, as modelhost's bearing has it for one slot.
const (
	slots = 1
	take  = slots + (slots+1)/2
)

// poll is for how long a brain holds a claim when there is nothing to be had.
const poll = 25 * time.Second

func newWorker(f *farm, g *gpu) *worker {
	host := fmt.Sprintf("rig-%d", g.spec.host+1)
	return &worker{
		gpu: g, f: f, lastUse: make([]time.Duration, len(f.in.models)),
		info: candor.WorkerInfo{
			Name: fmt.Sprintf("worker-%d", g.index+1), Host: host, PID: 100 + g.index, Supervisor: "up-" + host, Slots: 1,
			Classes: []candor.Class{candor.ClassResource, candor.ClassLLM},
			GPU:     &candor.GPU{UUID: fmt.Sprintf("GPU-%d", g.index), Name: "GPU", Total: g.spec.size, Free: g.spec.size},
		},
	}
}

func (w *worker) register() error {
	w.f.join(w.gpu)
	catalog := &candor.Catalog{}
	for _, m := range w.f.in.models {
		catalog.Models = append(catalog.Models, candor.CatalogModel{Name: m.name, Size: m.size})
	}
	reply, err := w.f.apply(sched.Register{Req: candor.RegisterRequest{
		Protocol: candor.Protocol, Info: w.info, View: w.view(), Verified: true, Catalog: catalog,
	}})
	if err != nil {
		return err
	}
	r := reply.(candor.RegisterReply)
	w.session = r.Session
	w.beatEvery(r.Heartbeat.D())
	return w.claim()
}

func (w *worker) beatEvery(d time.Duration) {
	w.f.of(w.gpu, d, func() error {
		w.beatEvery(d)
		if err := w.beat(); err != nil {
			return err
		}
		return w.f.tryHeld()
	})
}

// beat is a heartbeat: every few seconds, and at once when the server has news.
func (w *worker) beat() error {
	req := candor.HeartbeatRequest{Session: w.session, Doing: "running", View: w.view()}
	for _, lease := range w.leases {
		req.Running = append(req.Running, candor.LeaseProgress{Lease: lease, Progress: candor.Progress{Kind: "cpu", At: epoch.Add(w.f.now)}})
	}
	reply, err := w.f.apply(sched.Heartbeat{Worker: w.info.Name, Req: req})
	if err == nil && len(reply.(candor.HeartbeatReply).Abort) > 0 {
		err = fmt.Errorf("%s was ordered to end an attempt: %+v", w.info.Name, reply)
	}
	return err
}

// fall is the worker's death, of which its supervisor tells.
func (w *worker) fall() error {
	w.f.die(w.gpu)
	w.leases, w.next, w.order, w.results = nil, nil, nil, nil
	w.f.waiting = slices.DeleteFunc(w.f.waiting, func(o *worker) bool { return o == w })
	_, err := w.f.apply(sched.HostSeen{Report: candor.HostReport{Supervisor: w.info.Supervisor, Workers: []candor.HostWorker{
		{Name: w.info.Name, PID: w.info.PID, State: "exited", Exit: "signal: KILL (9)", Clean: true},
	}}})
	return err
}

// room is how many more attempts it could begin now: of llm tasks, and one order.
func (w *worker) room() int {
	room := take - len(w.next)
	if w.running >= 0 {
		room--
	}
	if w.order == nil {
		room++
	}
	return max(0, room)
}

// claim delivers results and asks for as much as there is room for, until there
// is no room or nothing to be had: then its claim is held.
func (w *worker) claim() error {
	for {
		results := w.results
		w.results = nil
		req := candor.ClaimRequest{Session: w.session, Results: results, View: w.view()}
		if w.asks == 0 {
			req.Max, req.Wait = w.room(), candor.Duration(poll)
		}
		if req.Max == 0 && len(results) == 0 {
			return nil
		}
		got, err := w.ask(req, false)
		if err != nil || w.asks != 0 {
			return err
		}
		if got == 0 && req.Max > 0 {
			w.hold()
			return nil
		}
	}
}

// hold leaves a claim with the brain. After a while it answers, and is asked anew.
func (w *worker) hold() {
	w.asked++
	w.asks = w.asked
	w.f.waiting = append(w.f.waiting, w)
	n := w.asks
	w.f.of(w.gpu, poll, func() error {
		if w.asks != n {
			return nil
		}
		w.answered()
		if err := w.claim(); err != nil {
			return err
		}
		return w.f.tryHeld()
	})
}

// answered: the brain holds no claim of it any more.
func (w *worker) answered() {
	w.asks = 0
	w.f.waiting = slices.DeleteFunc(w.f.waiting, func(o *worker) bool { return o == w })
}

// again tries a held claim once more.
func (w *worker) again() error {
	if w.asks == 0 {
		return nil
	}
	got, err := w.ask(candor.ClaimRequest{Session: w.session, Max: w.room()}, true)
	if err != nil || got == 0 {
		return err
	}
	return w.claim()
}

// ask is one claim. It returns how many attempts it brought.
func (w *worker) ask(req candor.ClaimRequest, again bool) (int, error) {
	reply, err := w.f.apply(sched.Claim{Worker: w.info.Name, Req: req, Again: again})
	if err != nil {
		return 0, err
	}
	r := reply.(candor.ClaimReply)
	if len(r.Results) > 0 {
		return 0, fmt.Errorf("a result of %s was not simply taken: %+v", w.info.Name, r.Results)
	}
	if len(r.Tasks) > 0 && w.asks != 0 {
		w.answered()
	}
	for _, a := range r.Tasks {
		w.leases = append(w.leases, a.Lease)
		if err := w.begin(a, &r.Steps[a.Spec].Step); err != nil {
			return 0, err
		}
	}
	return len(r.Tasks), nil
}

// begin begins an attempt: an order, or a task as soon as the card is free.
func (w *worker) begin(a candor.Assignment, step *candor.Step) error {
	if step.Order != nil {
		return w.carry(a, step.Order)
	}
	g := given{Assignment: a}
	if err := json.Unmarshal(a.Item, &g.task); err != nil {
		return err
	}
	w.next = append(w.next, g)
	return w.work()
}

// work runs the next task, if the card is free.
func (w *worker) work() error {
	if w.running >= 0 || len(w.next) == 0 {
		return nil
	}
	g := w.next[0]
	w.next = w.next[1:]
	w.began = w.f.now
	return w.f.start(w.gpu, g.task, func() error {
		w.lastUse[w.f.in.tasks[g.task].model] = w.f.now
		if err := w.finish(g.Assignment, candor.Result{Outcome: candor.AttemptDone, Took: candor.Duration(w.f.now - w.began)}); err != nil {
			return err
		}
		return w.f.tryHeld()
	})
}

// finish notes how an attempt ended, goes on with what is in hand, and tells.
func (w *worker) finish(a candor.Assignment, r candor.Result) error {
	w.leases = slices.DeleteFunc(w.leases, func(l int64) bool { return l == a.Lease })
	r.Task, r.Lease = a.Task, a.Lease
	w.results = append(w.results, r)
	if err := w.work(); err != nil {
		return err
	}
	if err := w.carryOn(); err != nil {
		return err
	}
	return w.claim()
}
