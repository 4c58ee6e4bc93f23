package sched

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"candor"
)

// farm drives a state by hand, for tests that tell a story.
type farm struct {
	t   *testing.T
	s   *State
	now time.Time
	at  map[string]int64 // sessions
	pid int
}

func newFarm(t *testing.T, cfg Config) *farm {
	t.Helper()
	f := &farm{t: t, s: New(cfg, &Snapshot{}), now: epoch, at: map[string]int64{}, pid: 4000}
	f.do(Tick{})
	return f
}

func (f *farm) try(cmd Command) (any, error) {
	f.t.Helper()
	return f.s.Apply(f.now, cmd)
}

func (f *farm) do(cmd Command) any {
	f.t.Helper()
	reply, err := f.try(cmd)
	if err != nil {
		f.t.Fatalf("%T: %v", cmd, err)
	}
	return reply
}

// join registers a worker with a new process; shape changes what it says of itself.
func (f *farm) join(name string, shape ...func(*candor.WorkerInfo)) {
	f.t.Helper()
	f.pid++
	in := candor.WorkerInfo{Name: name, Host: "rig", PID: f.pid, Classes: candor.Classes(), Slots: 1}
	for _, change := range shape {
		change(&in)
	}
	f.at[name] = f.do(Register{candor.RegisterRequest{Protocol: candor.Protocol, Info: in, Verified: true, Programs: onPath(in.Tools...)}}).(candor.RegisterReply).Session
}

func gpu(size candor.Bytes) func(*candor.WorkerInfo) {
	return func(in *candor.WorkerInfo) { in.GPU = &candor.GPU{Name: "RTX", Total: size, Free: size} }
}

func tools(names ...string) func(*candor.WorkerInfo) {
	return func(in *candor.WorkerInfo) { in.Tools = names }
}

// onPath is a PATH with these programs.
func onPath(names ...string) *candor.Programs {
	return &candor.Programs{Names: slices.Sorted(slices.Values(names))}
}

func supervised(in *candor.WorkerInfo) { in.Supervisor = "up-1" }

// cpu is a cpu step, changed as a test needs it.
func cpu(name string, changes ...func(*candor.Step)) candor.Step {
	st := candor.Step{Name: name, Class: candor.ClassCPU, Run: "true"}
	for _, change := range changes {
		change(&st)
	}
	return st
}

func items(n int) func(*candor.Step) {
	return func(st *candor.Step) {
		st.Each = &candor.Each{Items: make([]json.RawMessage, n)}
		for i := range n {
			st.Each.Items[i] = json.RawMessage(fmt.Sprint(i))
		}
	}
}

func needs(names ...string) func(*candor.Step) {
	return func(st *candor.Step) {
		for _, n := range names {
			st.Needs = append(st.Needs, candor.Need{Step: n})
		}
	}
}

func retries(n int) func(*candor.Step) { return func(st *candor.Step) { st.Retries = n } }

func (f *farm) submit(steps ...candor.Step) candor.SubmitReply {
	f.t.Helper()
	return f.do(Submit{Sub: candor.Submission{Name: "plan", Steps: steps}}).(candor.SubmitReply)
}

func (f *farm) claim(name string, results ...candor.Result) candor.ClaimReply {
	f.t.Helper()
	return f.do(Claim{Worker: name, Req: candor.ClaimRequest{Session: f.at[name], Max: 8, Results: results}}).(candor.ClaimReply)
}

// hand delivers results and asks for nothing. It returns the verdicts.
func (f *farm) hand(name string, results ...candor.Result) []candor.ResultReply {
	f.t.Helper()
	return f.do(Claim{Worker: name, Req: candor.ClaimRequest{Session: f.at[name], Results: results}}).(candor.ClaimReply).Results
}

// take claims one task, which must be there.
func (f *farm) take(name string) candor.Assignment {
	f.t.Helper()
	r := f.claim(name)
	if len(r.Tasks) != 1 {
		f.t.Fatalf("%s got %d tasks: %+v", name, len(r.Tasks), r.Report)
	}
	return r.Tasks[0]
}

func (f *farm) beat(name string, running ...int64) candor.HeartbeatReply {
	f.t.Helper()
	req := candor.HeartbeatRequest{Session: f.at[name], Doing: "running"}
	for _, lease := range running {
		req.Running = append(req.Running, candor.LeaseProgress{Lease: lease})
	}
	return f.do(Heartbeat{name, req}).(candor.HeartbeatReply)
}

func (f *farm) pass(d time.Duration) {
	f.t.Helper()
	f.now = f.now.Add(d)
	f.do(Tick{})
}

func ended(a candor.Assignment, o candor.AttemptOutcome, code candor.ReasonCode, text string) candor.Result {
	r := candor.Result{Task: a.Task, Lease: a.Lease, Outcome: o}
	if o != candor.AttemptDone {
		r.Reason = candor.NewReason(code, text)
	}
	return r
}

func done(a candor.Assignment) candor.Result { return ended(a, candor.AttemptDone, "", "") }

func exit1(a candor.Assignment) candor.Result {
	return ended(a, candor.AttemptFailed, candor.ReasonExitCode, "exit 1: no such file")
}

func (f *farm) why(target any) candor.Reason {
	f.t.Helper()
	return f.do(Why{fmt.Sprint(target)}).(candor.Explanation).Reason
}

func (f *farm) state(id candor.TaskID) candor.TaskState {
	f.t.Helper()
	return stateNames[f.s.tasks.find(id).state]
}

// tasksOf lists a batch's tasks in order.
func (f *farm) tasksOf(id candor.BatchID) []*task {
	var out []*task
	for t := range f.s.batches[id].eachTask() {
		out = append(out, t)
	}
	return out
}

// told takes the events since the last asking.
func (f *farm) told() []candor.Event {
	if c := f.s.Take(); c != nil {
		return c.Events
	}
	return nil
}

// toldOf is the text of the one event of a kind.
func (f *farm) toldOf(code candor.EventCode) string {
	f.t.Helper()
	var texts []string
	for _, e := range f.told() {
		if e.Code == code {
			texts = append(texts, e.Text)
		}
	}
	if len(texts) != 1 {
		f.t.Fatalf("%d events %s: %q", len(texts), code, texts)
	}
	return texts[0]
}

// expect wants a reason with these words in its sentence.
func (f *farm) expect(r candor.Reason, code candor.ReasonCode, words ...string) {
	f.t.Helper()
	if r.Code != code {
		f.t.Fatalf("reason %s, want %s: %s", r.Code, code, r.Text)
	}
	has(f.t, r.Text, words...)
}

func has(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Fatalf("%q lacks %q", text, w)
		}
	}
}

func change(targets ...string) candor.ChangeRequest {
	return candor.ChangeRequest{Targets: targets, By: "ann", Why: "cleaning"}
}
