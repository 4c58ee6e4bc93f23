package main

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"candor"
	"candor/internal/sched"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// beat is between two heartbeats of a worker: well within the time after which
// it would count as lost.
const beat = 20 * time.Second

// askAgain is after how many seconds an idle worker asks again.
const askAgain = 10

// farm is a brain's state with workers that only exist as things to happen.
type farm struct {
	state    *sched.State
	rng      *rand.Rand
	now      time.Time
	next     agenda
	seq      int
	workers  []*worker
	deadline time.Time // of the wall

	tasks, decisions, attempts, deaths int
	open                               int // batches that have not ended
	ended                              []uint8
	outcomes                           map[candor.EventCode]int
}

type worker struct {
	info    candor.WorkerInfo
	view    candor.View
	session int64
	life    int // grows with each process: what a former one had ahead is void
	running map[int64]candor.Assignment
	idle    bool
}

// doing is one thing that happens at its time.
type doing struct {
	at   time.Time
	seq  int // first come, first served
	do   func() error
	who  *worker
	life int
}

type agenda []doing

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(doing)) }
func (a *agenda) Pop() any {
	old := *a
	d := old[len(old)-1]
	old[len(old)-1] = doing{}
	*a = old[:len(old)-1]
	return d
}

func newFarm(set settings) *farm {
	f := &farm{
		state: sched.New(sched.Config{}, &sched.Snapshot{}), rng: rand.New(rand.NewPCG(set.seed, 1)), now: start,
		outcomes: map[candor.EventCode]int{},
	}
	for i := range set.workers {
		w := &worker{}
		w.info, w.view = info(i)
		f.workers = append(f.workers, w)
		f.in(f.upTo(time.Minute), nil, func() error { return f.join(w) })
	}
	f.in(time.Second, nil, f.tick)
	return f
}

// in puts something on the agenda; of a worker only as long as its process lives.
func (f *farm) in(d time.Duration, w *worker, do func() error) {
	f.seq++
	e := doing{at: f.now.Add(d), seq: f.seq, do: do, who: w}
	if w != nil {
		e.life = w.life
	}
	heap.Push(&f.next, e)
}

func (f *farm) upTo(d time.Duration) time.Duration { return time.Duration(f.rng.Int64N(int64(d))) + 1 }

// run lets things happen until every batch has ended.
func (f *farm) run() error {
	for n := 0; f.open > 0; n++ {
		if n%10_000 == 0 && time.Now().After(f.deadline) {
			return fmt.Errorf("gave up: %d batches are open at %s", f.open, candor.ShortDuration(f.now.Sub(start)))
		}
		e := heap.Pop(&f.next).(doing)
		f.now = e.at
		if e.who != nil && e.who.life != e.life {
			continue
		}
		if err := e.do(); err != nil {
			return err
		}
		f.commit()
	}
	return nil
}

func (f *farm) apply(cmd sched.Command) (any, error) {
	f.decisions++
	return f.state.Apply(f.now, cmd)
}

// commit takes the changes, as a brain would to store them, and counts endings.
func (f *farm) commit() {
	c := f.state.Take()
	if c == nil {
		return
	}
	for i := range c.Events {
		e := &c.Events[i]
		switch e.Code {
		case candor.EventBatchSubmitted:
			f.open++
		case candor.EventBatchComplete:
			f.open--
		case candor.EventTaskComplete, candor.EventTaskFailed, candor.EventTaskCancelled, candor.EventTaskPoison:
			f.outcomes[e.Code]++
			f.ended[e.Task]++
		}
	}
}

// tick lets time pass; now and then those ask again who found nothing before.
func (f *farm) tick() error {
	f.in(time.Second, nil, f.tick)
	if _, err := f.apply(sched.Tick{}); err != nil {
		return err
	}
	if f.now.Unix()%askAgain != 0 {
		return nil
	}
	for _, w := range f.workers {
		if w.idle {
			if err := f.claim(w, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *farm) join(w *worker) error {
	w.life++
	w.info.PID++
	w.running, w.idle = map[int64]candor.Assignment{}, false
	reply, err := f.apply(sched.Register{Req: candor.RegisterRequest{
		Protocol: candor.Protocol, Info: w.info, View: w.view, Verified: true, Programs: &candor.Programs{Names: w.info.Tools},
	}})
	if err != nil {
		return err
	}
	w.session = reply.(candor.RegisterReply).Session
	f.in(f.upTo(beat), w, func() error { return f.heartbeat(w) })
	f.in(f.upTo(12*time.Hour), w, func() error { return f.die(w) })
	return f.claim(w, nil)
}

// die ends a worker with all it runs. A supervisor says so at once; without one
// its silence does.
func (f *farm) die(w *worker) error {
	f.deaths++
	w.life++
	w.idle = false
	f.in(30*time.Second+f.upTo(5*time.Minute), nil, func() error { return f.join(w) })
	if w.info.Supervisor == "" {
		return nil
	}
	_, err := f.apply(sched.HostSeen{Report: candor.HostReport{Supervisor: w.info.Supervisor, Workers: []candor.HostWorker{
		{Name: w.info.Name, PID: w.info.PID, State: "exited", Exit: "signal: KILL (9)", Clean: true},
	}}})
	return err
}

func (f *farm) heartbeat(w *worker) error {
	f.in(beat, w, func() error { return f.heartbeat(w) })
	req := candor.HeartbeatRequest{Session: w.session, Doing: "running", View: w.view, Running: make([]candor.LeaseProgress, 0, len(w.running))}
	for lease := range w.running {
		req.Running = append(req.Running, candor.LeaseProgress{Lease: lease, Progress: candor.Progress{Kind: "cpu", At: f.now}})
	}
	reply, err := f.apply(sched.Heartbeat{Worker: w.info.Name, Req: req})
	if err == nil && len(reply.(candor.HeartbeatReply).Abort) > 0 {
		err = errors.New("an attempt was ordered to end, though nobody asked for it")
	}
	return err
}

// claim brings results and asks for as much as there is room for.
func (f *farm) claim(w *worker, results []candor.Result) error {
	reply, err := f.apply(sched.Claim{Worker: w.info.Name, Req: candor.ClaimRequest{
		Session: w.session, Results: results, Max: w.info.Slots - len(w.running), View: w.view,
	}})
	if err != nil {
		return err
	}
	r := reply.(candor.ClaimReply)
	if len(r.Results) > 0 {
		return fmt.Errorf("a result was not simply taken: %+v", r.Results)
	}
	w.idle = len(r.Tasks) == 0
	for _, a := range r.Tasks {
		f.attempts++
		w.running[a.Lease] = a
		f.in(time.Second+f.upTo(30*time.Second), w, func() error { return f.finish(w, a) })
	}
	return nil
}

// finish ends an attempt: 97 of 100 well.
func (f *farm) finish(w *worker, a candor.Assignment) error {
	delete(w.running, a.Lease)
	r := candor.Result{Task: a.Task, Lease: a.Lease, Outcome: candor.AttemptDone}
	switch n := f.rng.IntN(1000); {
	case n < 20:
		r.Outcome, r.Reason = candor.AttemptFailed, candor.NewReason(candor.ReasonExitCode, "exit 1")
	case n < 29:
		r.Outcome, r.Reason = candor.AttemptTransient, candor.NewReason(candor.ReasonExitTransient, "exit 75")
	case n < 30:
		r.Outcome, r.Reason = candor.AttemptPermanent, candor.NewReason(candor.ReasonExitPermanent, "exit 78")
	}
	return f.claim(w, []candor.Result{r})
}

// check holds the end against the law: every task ended, and once.
func (f *farm) check(stdout io.Writer) error {
	for id, n := range f.ended[1:] {
		if n != 1 {
			return fmt.Errorf("task %s ended %d times", candor.TaskID(id+1), n)
		}
	}
	fmt.Fprintf(stdout, "every task ended once: %d complete, %d failed, %d cancelled behind them, %d set aside\n",
		f.outcomes[candor.EventTaskComplete], f.outcomes[candor.EventTaskFailed], f.outcomes[candor.EventTaskCancelled], f.outcomes[candor.EventTaskPoison])
	return nil
}
