package sched

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// world is a brain with its store, and workers with processes of their own: what
// is true, beside what the brain believes.
type world struct {
	t       *rapid.T
	cfg     Config
	now     time.Time
	disk    *disk
	s       *State
	twin    *State // decides on the same commands: it must come to the same
	pending []func()
	taken   []*Changes // with what they were when they were taken
	texts   []string
	workers []*simWorker
	procs   map[int64]*proc // by lease: what really runs
	told    map[int64]bool  // leases of which runs_twice was told
	lease   int64           // the largest handed out
	plans   int
	shown   map[candor.TaskID]held // of each task, as it was after the last command
	reports []candor.HostReport    // what supervisors said
	slice   int                    // tasks of a cancelled batch that a round ends
	pid     int
	commits int
}

// proc is the process of one attempt.
type proc struct {
	candor.Assignment
	worker    *simWorker
	order     *candor.Order // nil: it is none
	uses      string        // the model that it works with there
	orphan    bool          // its worker's process has ended
	manifests []candor.Manifest
}

// simWorker is a worker's host: its process may live or not, its spool stays.
type simWorker struct {
	info    candor.WorkerInfo
	view    candor.View
	alive   bool
	frozen  bool
	session int64
	epoch   int            // grows with each registration: claims under way meanwhile are void
	late    []func()       // answers to claims that are still on their way
	void    map[int64]bool // leases that it will refuse
	fenced  map[int64]bool // leases that its supervisor has forbidden on this host
	asked   []int64        // those it was last asked to void
	spool   []candor.Result
	tell    bool               // the brain has asked which programs it has
	exit    *candor.HostWorker // what its supervisor saw of a process that ended
	fence   []candor.FenceReport
	server  *simServer
	past    []Command // what it said, some of it in sessions that are over
}

var epoch = time.Date(2026, 2, 7, 21, 45, 0, 0, time.UTC)

func newWorld(t *rapid.T) *world {
	w := &world{
		t: t, now: epoch, disk: newDisk(), procs: map[int64]*proc{}, told: map[int64]bool{}, pid: 100,
		cfg: Config{FreeTries: rapid.SampledFrom([]int{4, 50}).Draw(t, "free tries"), BackoffMax: 30 * time.Second, BatchRoot: "/batches",
			// Short, so that every silence is met often.
			Heartbeat: time.Second, Lost: 10 * time.Second, Lease: 20 * time.Second, Asking: 10 * time.Second, Linger: time.Minute, Forget: 2 * time.Minute, Monitor: 5 * time.Second,
			Stuck:     map[candor.Class]time.Duration{candor.ClassCPU: 5 * time.Second, candor.ClassScript: 15 * time.Second},
			Placement: Placement{Hold: 5 * time.Second, MaxWait: 30 * time.Second, Expect: 10 * time.Second, Expiry: time.Minute, Retry: 3 * time.Second}},
	}
	w.slice = rapid.SampledFrom([]int{1, 2, 5, closingSlice}).Draw(t, "slice")
	w.boot()
	infos := []candor.WorkerInfo{
		{Name: "w1", Classes: candor.Classes(), Slots: 2, GPU: &candor.GPU{Total: 4 * candor.GiB, Free: 4 * candor.GiB}, Supervisor: "up-1"},
		{Name: "w2", Classes: []candor.Class{candor.ClassCPU, candor.ClassLLM, candor.ClassResource}, Slots: 1, Labels: []string{"fast"}, Supervisor: "up-1"},
		{Name: "w3", Classes: []candor.Class{candor.ClassScript, candor.ClassCPU, candor.ClassResource}, Slots: 3, Tools: []string{"ffmpeg"}},
	}
	for _, in := range infos {
		in.Host = "host-1"
		w.workers = append(w.workers, &simWorker{info: in, view: candor.View{State: candor.WorkerReady}})
	}
	if rapid.Bool().Draw(t, "model servers") {
		w.workers[0].server = &simServer{state: candor.ServerUp, card: 4 * candor.GiB}
		w.workers[1].server = &simServer{state: candor.ServerUp, attached: true, most: 1}
	}
	return w
}

// boot begins with what is on disk: after a crash nothing else is known.
func (w *world) boot() {
	w.s, w.twin, w.pending = New(w.cfg, w.disk.load()), New(w.cfg, w.disk.load()), nil
	w.s.slice, w.twin.slice, w.shown = w.slice, w.slice, nil
	if c := w.s.Take(); c != nil {
		w.t.Fatalf("loading alone changed something: %+v", c)
	}
	w.twin.Take()
}

// do applies a command to both states and checks every law. then is what the
// reply does in the world; it happens once the commit is through.
func (w *world) do(cmd Command, then func(reply any, err error)) {
	w.t.Helper()
	before := len(w.s.changes.Events)
	reply, err := w.s.Apply(w.now, cmd)
	again, errAgain := w.twin.Apply(w.now, cmd)
	if !reflect.DeepEqual(reply, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		w.t.Fatalf("%T: two equal states answered\n%s %v\n%s %v", cmd, dump(reply), err, dump(again), errAgain)
	}
	for _, e := range w.s.changes.Events[before:] {
		if e.Code == candor.EventRunsTwice {
			w.told[e.Lease] = true
		}
	}
	w.t.Logf("%s %T %+v → %v", w.now.Format("15:04:05"), cmd, cmd, err)
	for _, e := range w.s.changes.Events[before:] {
		w.t.Logf("    %s", e.Text)
	}
	w.checkLaws(cmd)
	w.checkEnds(cmd, reply)
	w.checkLines(cmd, w.s.changes.Events[before:])
	if claim, ok := cmd.(Claim); ok && err == nil {
		w.checkClaim(&claim, reply.(candor.ClaimReply), before)
	}
	if then != nil {
		w.pending = append(w.pending, func() { then(reply, err) })
	}
}

// commit makes durable what was decided, then lets the replies out.
func (w *world) commit() {
	w.t.Helper()
	if w.commits++; w.commits%4 == 0 {
		w.read()
	}
	c, twin := w.s.Take(), w.twin.Take()
	if !reflect.DeepEqual(c, twin) {
		w.t.Fatalf("two equal states changed\n%s\n%s", dump(c), dump(twin))
	}
	if c != nil {
		if err := w.disk.commit(c); err != nil {
			w.t.Fatalf("the store refuses: %v\n%s", err, dump(c))
		}
		w.taken, w.texts = append(w.taken, c), append(w.texts, dump(c))
		if len(w.taken) > 3 {
			w.checkTaken(0)
			w.taken, w.texts = w.taken[1:], w.texts[1:]
		}
	}
	out := w.pending
	w.pending = nil
	for _, then := range out {
		then()
	}
}

// checkTaken sees to it that changes stay as they were when they were taken:
// a store may still be writing them while the loop goes on.
func (w *world) checkTaken(i int) {
	if now := dump(w.taken[i]); now != w.texts[i] {
		w.t.Fatalf("changes changed after they were taken:\n%s\n%s", w.texts[i], now)
	}
}

// crash ends the brain between two commits and begins anew.
func (w *world) crash() {
	w.told = map[int64]bool{}
	for _, e := range w.disk.events {
		if e.Code == candor.EventRunsTwice {
			w.told[e.Lease] = true
		}
	}
	w.boot()
}

// reload compares the state with one that is made of what it stored.
func (w *world) reload() {
	w.commit()
	fresh := New(w.cfg, w.disk.load())
	if _, err := fresh.Apply(w.now, Tick{}); err != nil {
		w.t.Fatal(err)
	}
	fresh = New(w.cfg, w.disk.load())
	if a, b := w.s.essence(), fresh.essence(); a != b {
		w.t.Fatalf("after loading, something else is there:\n%s\n%s", a, b)
	}
}

// essence is all of a state that must survive: active batches, tasks, workers,
// pauses, counters. Not persisted, and so not in it: progress, reports, marks of
// deaths, uncounted attempts, what supervisors were asked. Accounts are stored
// now and then; checkAccounts knows their law.
func (s *State) essence() string {
	out := map[string]any{"meta": s.meta, "pauses": append([]candor.Pause{}, s.pauses...), "revision": s.revision}
	for _, b := range s.order {
		if b.rec.State != candor.BatchActive {
			continue
		}
		rec := b.rec
		rec.Was, rec.Total, rec.Counts, rec.Inputs = "", b.total(), b.countMap(), nil
		steps := []string{}
		for _, st := range b.steps {
			steps = append(steps, fmt.Sprint(st.spec.Name, st.expanded, len(st.tasks), st.counts))
		}
		tasks := []TaskRecord{}
		for t := range b.eachTask() {
			tasks = append(tasks, t.record())
		}
		out[b.rec.ID.String()] = []any{rec, steps, tasks}
	}
	for _, w := range s.roster {
		r := w.record()
		r.SeenAt = time.Time{}
		r.Completed, r.Failed, r.Account = 0, 0, nil
		out["worker:"+r.Info.Name] = []any{r, w.reserved, len(w.running)}
	}
	for _, lease := range slices.Sorted(maps.Keys(s.leases)) {
		out[fmt.Sprint("lease:", lease)] = s.leases[lease].id
	}
	return dump(out)
}

func dump(v any) string {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Sprintf("%+v (%v)", v, err)
	}
	return string(data)
}
