package sched

import (
	"fmt"
	"testing"
	"time"

	"candor"
)

// bearing is a hot worker that answers so many requests at once, and would hold more.
func bearing(slots, take int) candor.View {
	v := serving(ready("m", 5*candor.GiB))
	v.Serving.Slots, v.Serving.Take = slots, take
	return v
}

// wants is a claim for as much as there is room for.
func (f *farm) wants(name string, view candor.View, results ...candor.Result) candor.ClaimReply {
	f.t.Helper()
	req := candor.ClaimRequest{Session: f.at[name], Max: 16, Wait: candor.Duration(25 * time.Second), Results: results, View: view}
	return f.do(Claim{Worker: name, Req: req}).(candor.ClaimReply)
}

// again is what the loop does with a claim that it holds.
func (f *farm) again(name string) candor.ClaimReply {
	f.t.Helper()
	return f.do(Claim{Worker: name, Again: true, Req: candor.ClaimRequest{Session: f.at[name], Max: 16}}).(candor.ClaimReply)
}

func slots(n int) func(*candor.WorkerInfo) { return func(in *candor.WorkerInfo) { in.Slots = n } }

// A short queue is spread evenly over those who wait for it, however much each
// of them could hold.
func TestAShortQueueIsShared(t *testing.T) {
	for name, c := range map[string]struct {
		slots, take, tasks int
		want               [3]int
	}{
		"more slots than tasks":        {4, 6, 6, [3]int{2, 2, 2}},
		"fewer tasks than workers":     {4, 6, 2, [3]int{1, 1, 0}},
		"not evenly":                   {4, 6, 8, [3]int{3, 3, 2}},
		"as many as slots":             {4, 6, 12, [3]int{4, 4, 4}},
		"a slot each, and one to hold": {1, 2, 6, [3]int{1, 1, 1}},
		"a long queue":                 {1, 2, 125, [3]int{2, 2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, Config{})
			names := []string{"w1", "w2", "w3"}
			for _, name := range names {
				f.joinServing(name, []string{"m"}, bearing(c.slots, c.take))
				f.wants(name, bearing(c.slots, c.take))
			}
			f.submit(llm("topics", "m", c.tasks))
			for i, name := range names {
				if got := len(f.again(name).Tasks); got != c.want[i] {
					t.Errorf("%s took %d, want %d", name, got, c.want[i])
				}
			}
		})
	}
}

// Commands are shared as prompts are, and those of many kinds as those of one.
func TestCommandsAreShared(t *testing.T) {
	for kinds, steps := range map[string][]candor.Step{
		"one kind": {cpu("a", items(8))},
		"eight kinds": {
			cpu("a"), cpu("b", labelled("x")), cpu("c", labelled("y")), cpu("d", labelled("z")),
			cpu("e", labelled("x", "y")), cpu("f", labelled("x", "z")), cpu("g", labelled("y", "z")), cpu("h", labelled("x", "y", "z")),
		},
	} {
		t.Run(kinds, func(t *testing.T) {
			f := newFarm(t, Config{})
			for _, name := range []string{"w1", "w2"} {
				f.join(name, slots(8), func(in *candor.WorkerInfo) { in.Labels = []string{"x", "y", "z"} })
				f.wants(name, candor.View{})
			}
			f.submit(steps...)
			for _, name := range []string{"w1", "w2"} {
				if got := len(f.again(name).Tasks); got != 4 {
					t.Errorf("%s took %d of 8, want 4", name, got)
				}
			}
		})
	}
}

func labelled(names ...string) func(*candor.Step) {
	return func(st *candor.Step) { st.Requires.Labels = names }
}

// Who gets less than he asked for is told so, with the names of those for whom
// the rest is left; once they have theirs, claims that were held are tried again.
func TestWhatIsLeftToOthersIsSaid(t *testing.T) {
	f := newFarm(t, Config{})
	for _, name := range []string{"w1", "w2"} {
		f.joinServing(name, []string{"m"}, bearing(1, 2))
		f.wants(name, bearing(1, 2))
	}
	f.submit(llm("topics", "m", 3))
	before := f.s.Ready()
	if got := f.again("w1"); len(got.Tasks) != 1 {
		t.Fatalf("w1 took %d of 3, and w2 waits", len(got.Tasks))
	}
	x := f.do(Why{"w1"}).(candor.Explanation)
	if n := x.Worker.LastClaim.Refused[candor.ReasonShared]; n != 2 {
		t.Errorf("its last claim left %d tasks, want 2: %+v", n, x.Worker.LastClaim)
	}
	has(t, x.Worker.LastClaim.Why[0].Text, "1 task in hand; the rest is left to w2, with free slots")
	if got := f.wants("w1", bearing(1, 2)); len(got.Tasks) > 0 || got.Report.Refused[candor.ReasonShared] != 2 {
		t.Errorf("asked once more, w1 took %d: %+v", len(got.Tasks), got.Report)
	}
	f.again("w2")
	if f.s.Ready() == before {
		t.Error("claims that were held are not tried again")
	}
	// The last one is for whoever is free first: nobody puts it by.
	last := f.tasksOf(f.s.order[0].rec.ID)[2]
	f.expect(f.why(last.id), candor.ReasonBusy, "1 of 1 slots taken", "w1, w2")
	if got := f.again("w1"); len(got.Tasks) > 0 {
		t.Error("w1 holds the last task, and cannot begin it")
	}
}

// Nothing is left for long to a worker that does not come for it.
func TestNothingIsLeftToWhoDoesNotAsk(t *testing.T) {
	f := newFarm(t, Config{})
	for _, name := range []string{"w1", "w2"} {
		f.join(name, slots(8))
		f.wants(name, candor.View{})
	}
	f.submit(cpu("a", items(8)))
	if got := len(f.again("w1").Tasks); got != 4 {
		t.Fatalf("w1 took %d, want 4", got)
	}
	before := f.s.Ready()
	f.pass(shareAgain)
	if f.s.Ready() == before {
		t.Error("the claim that left something is not tried again")
	}
	if got := len(f.again("w1").Tasks); got != 0 {
		t.Errorf("w1 took %d that are left to w2, whose claim is held", got)
	}
	f.pass(25*time.Second + askGrace)
	if got := len(f.again("w1").Tasks); got != 4 {
		t.Errorf("w1 took %d of 4 for which nobody comes", got)
	}
}

// BenchmarkShare is a claim among many workers of which all could take the few
// tasks that are queued.
func BenchmarkShare(b *testing.B) {
	const workers = 1000
	s, sessions := crowd(b, 500, workers)
	now := epoch
	for b.Loop() {
		for i := range workers {
			name := fmt.Sprintf("w%03d", i)
			reply, err := s.Apply(now, Claim{Worker: name, Again: true, Req: candor.ClaimRequest{Session: sessions[i], Max: 8}})
			if err != nil {
				b.Fatal(err)
			}
			if got := reply.(candor.ClaimReply).Tasks; len(got) > 1 {
				b.Fatalf("%s took %d", name, len(got))
			}
		}
		b.StopTimer()
		s, sessions = crowd(b, 500, workers)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/workers, "ns/claim")
}

// Who idles beside a worker that holds what it has not begun says so.
func TestTasksInOthersHandsAreSeen(t *testing.T) {
	f := newFarm(t, Config{})
	f.joinServing("w1", []string{"m"}, bearing(1, 2))
	f.submit(llm("topics", "m", 9))
	if got := f.wants("w1", bearing(1, 2)); len(got.Tasks) != 2 {
		t.Fatalf("w1 took %d of a long queue", len(got.Tasks))
	}
	f.do(Cancel{candor.ChangeRequest{Targets: []string{f.s.order[0].rec.ID.String()}}})
	f.joinServing("w2", []string{"m"}, bearing(1, 2))
	if got := f.wants("w2", bearing(1, 2)); len(got.Tasks) > 0 {
		t.Fatalf("w2 got %d of what is cancelled", len(got.Tasks))
	}
	f.expect(f.why("w2"), candor.ReasonIdleHands, "1 task waits in the hands of w1", "nothing else is queued")
}
