package sched

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"candor"
)

func script(name string, vram candor.Bytes, changes ...func(*candor.Step)) candor.Step {
	st := candor.Step{Name: name, Class: candor.ClassScript, Run: "true", VRAM: vram}
	for _, change := range changes {
		change(&st)
	}
	return st
}

// mill is a card on which small tasks run, each for its own time, and a next one
// begins whenever one ends.
type mill struct {
	*farm
	running map[string][]candor.Assignment // by worker, the oldest first
	done    int
}

func newMill(t *testing.T, small int, workers ...string) *mill {
	m := &mill{farm: newFarm(t, Config{}), running: map[string][]candor.Assignment{}}
	for _, name := range workers {
		m.join(name, gpu(24*candor.GiB), func(in *candor.WorkerInfo) { in.Slots = 4 })
	}
	m.submit(script("small", 6*candor.GiB, items(small)))
	m.turn()
	return m
}

// turn ends the oldest task on each worker and lets it claim.
func (m *mill) turn() {
	m.t.Helper()
	m.pass(10 * time.Second)
	for _, w := range m.s.roster {
		m.claims(w.info.Name, true)
	}
}

func (m *mill) claims(name string, ends bool) candor.ClaimReply {
	m.t.Helper()
	var results []candor.Result
	if old := m.running[name]; ends && len(old) > 0 {
		results, m.running[name] = append(results, done(old[0])), old[1:]
		m.done++
	}
	r := m.claim(name, results...)
	m.running[name] = append(m.running[name], r.Tasks...)
	return r
}

// A large task is not overtaken for ever by small ones of which one fits
// whenever one ends.
func TestRoomIsKeptForALargeTask(t *testing.T) {
	m := newMill(t, 2000, "w1")
	big := m.tasksOf(m.submit(script("big", 20*candor.GiB, priority(1000))).Batch)[0]
	m.expect(m.why(big.id), candor.ReasonVRAMHeld, "w1", "0 B free of 24 GiB")
	for big.state != processing {
		if m.turn(); m.done > 10 {
			t.Fatalf("after %d small tasks the large one waits: %s", m.done, m.why(big.id).Text)
		}
	}
}

// Whoever is refused for it is told for whom, and who waits for it where.
func TestWhoIsRefusedForKeptRoomIsToldForWhom(t *testing.T) {
	m := newMill(t, 20, "w1")
	bigs := m.tasksOf(m.submit(script("big", 20*candor.GiB, priority(1000))).Batch)
	for range 4 {
		m.turn()
	}
	if n := len(m.running["w1"]); n >= 4 {
		t.Fatalf("%d small tasks run", n)
	}
	small := m.tasksOf(m.s.order[0].rec.ID)[19]
	r := m.why(small.id)
	m.expect(r, candor.ReasonVRAMKept, "w1", "20 GiB kept for task "+bigs[0].id.String(), "(big)", "goes first", "since 2026-02-07T21:4")
	if r.Operands["kept_for"] != bigs[0].id.String() || r.Next != "candor why "+bigs[0].id.String() || r.Mover != candor.MoverWait {
		t.Errorf("%+v", r)
	}
	m.expect(m.why(bigs[0].id), candor.ReasonVRAMHeld, "room is kept for it on w1 since")
	report := m.claims("w1", false).Report
	if report.Refused[candor.ReasonVRAMKept] == 0 {
		t.Errorf("the claim saw %+v", report)
	}
	for len(m.running["w1"]) > 0 {
		m.hand("w1", done(m.running["w1"][0]))
		m.running["w1"] = m.running["w1"][1:]
	}
	if got := m.claims("w1", false); len(got.Tasks) != 1 || got.Tasks[0].Task != bigs[0].id {
		t.Fatalf("w1 got %+v", got)
	}
}

// Room is kept on one card, and what does not take from it goes on.
func TestKeptRoomLeavesTheRest(t *testing.T) {
	m := newMill(t, 2000, "w1", "w2")
	big := m.tasksOf(m.submit(script("big", 20*candor.GiB, priority(1000))).Batch)[0]
	for range 4 {
		m.turn()
	}
	if len(m.s.keeps) != 1 || m.s.keeps[0].info.Name != "w1" || len(m.running["w2"]) != 4 {
		t.Fatalf("kept on %d cards; w2 runs %d", len(m.s.keeps), len(m.running["w2"]))
	}
	m.submit(cpu("light"), script("beside", 4*candor.GiB), script("crosswise", 5*candor.GiB))
	got := m.claims("w1", true)
	var names []string
	for _, a := range got.Tasks {
		names = append(names, m.s.tasks.find(a.Task).name())
	}
	if slices.Sort(names); !slices.Equal(names, []string{"beside", "light"}) {
		t.Errorf("beside the kept room go %q", names)
	}
	for range 4 {
		m.turn()
	}
	if big.state == queued {
		t.Errorf("big waits: %s", m.why(big.id).Text)
	}
}

// Room that is kept for somebody who does not come any more is let go.
func TestKeptRoomIsLetGo(t *testing.T) {
	m := newMill(t, 2000, "w1")
	id := m.submit(script("big", 20*candor.GiB, priority(1000))).Batch
	for range 5 {
		m.turn()
	}
	if got := m.claims("w1", false); len(got.Tasks) != 0 {
		t.Fatalf("w1 got %+v", got.Tasks)
	}
	ready := m.s.Ready()
	m.do(Cancel{change(id.String())})
	m.pass(time.Second)
	if m.s.Ready() == ready || len(m.s.keeps) != 0 {
		t.Error("held claims are not tried again")
	}
	if got := m.claims("w1", false); len(got.Tasks) == 0 {
		t.Errorf("w1 got nothing: %+v", got.Report)
	}
}

// A card of which somebody else holds what is missing is not kept empty.
func TestNoRoomIsKeptWhereItCannotCome(t *testing.T) {
	m := newMill(t, 2000, "w1")
	m.submit(script("big", 20*candor.GiB, priority(1000)))
	view := candor.View{State: candor.WorkerReady, GPU: &candor.GPU{Total: 24 * candor.GiB, Free: 0}}
	for range 10 {
		m.pass(10 * time.Second)
		old := m.running["w1"]
		view.GPU.Free = 18*candor.GiB - candor.Bytes(len(old)-1)*6*candor.GiB
		r := m.do(Claim{Worker: "w1", Req: candor.ClaimRequest{Session: m.at["w1"], Max: 1, View: view, Results: []candor.Result{done(old[0])}}}).(candor.ClaimReply)
		m.running["w1"] = append(old[1:], r.Tasks...)
	}
	if len(m.s.keeps) != 0 || len(m.running["w1"]) != 3 {
		t.Errorf("%d run, room is kept on %d cards", len(m.running["w1"]), len(m.s.keeps))
	}
}

// Whatever cards there are, whatever tasks come and however long they run: who
// fits on a card begins there within a bounded time, though small ones never end.
func TestNobodyStarvesForMemory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &mill{farm: newFarm(t, Config{}), running: map[string][]candor.Assignment{}}
		for _, name := range []string{"w1", "w2", "w3"}[:rapid.IntRange(1, 3).Draw(rt, "cards")] {
			slots := rapid.IntRange(1, 6).Draw(rt, "slots")
			m.join(name, gpu(24*candor.GiB), func(in *candor.WorkerInfo) { in.Slots = slots })
		}
		odd := rapid.IntRange(1, 9).Draw(rt, "lasts")
		large := rapid.SliceOfN(rapid.IntRange(7, 24), 1, 4).Draw(rt, "large")
		small := rapid.IntRange(1, 6).Draw(rt, "small")
		m.submit(script("small", candor.Bytes(small)*candor.GiB, items(2000)))
		m.turn()
		var all []*task
		for _, size := range large {
			all = append(all, m.tasksOf(m.submit(script("large", candor.Bytes(size)*candor.GiB, priority(1000))).Batch)...)
		}
		for range 80 {
			m.pass(10 * time.Second)
			for _, w := range m.s.roster {
				m.ends(w.info.Name, func(a candor.Assignment) bool {
					lasts := 1 + a.Lease*int64(odd)%5
					return m.now.Sub(m.s.leases[a.Lease].run.started) >= time.Duration(lasts)*10*time.Second
				})
				m.claims(w.info.Name, false)
				m.beat(w.info.Name, leasesOf(m.running[w.info.Name])...)
			}
		}
		for i, task := range all {
			if task.state == queued {
				rt.Fatalf("large %d of %v waits: %s", i, large, m.why(task.id).Text)
			}
		}
		if m.done < 15 {
			rt.Fatalf("in 80 rounds %d tasks were done", m.done)
		}
	})
}

// ends hands in those of a worker's tasks that have ended.
func (m *mill) ends(name string, over func(candor.Assignment) bool) {
	m.t.Helper()
	m.running[name] = slices.DeleteFunc(m.running[name], func(a candor.Assignment) bool {
		if !over(a) {
			return false
		}
		m.hand(name, done(a))
		m.done++
		return true
	})
}

func leasesOf(tasks []candor.Assignment) []int64 {
	var out []int64
	for _, a := range tasks {
		out = append(out, a.Lease)
	}
	return out
}

// Where small tasks and idle models hold a card, room for a large one comes from
// both: the tasks end, then the models go.
func TestIdleModelsGiveWayToKeptRoom(t *testing.T) {
	m := &mill{farm: newFarm(t, Config{}), running: map[string][]candor.Assignment{}}
	view := serving(ready("a", 2*candor.GiB), ready("b", 2*candor.GiB))
	m.joinServing("w1", []string{"a", "b"}, view) // 8 GiB
	m.submit(script("small", 2*candor.GiB, items(100)))
	m.turn()
	big := m.tasksOf(m.submit(script("big", 7*candor.GiB, priority(1000))).Batch)[0]
	for range 40 {
		m.pass(10 * time.Second)
		var results []candor.Result
		for _, a := range m.running["w1"] {
			r := done(a)
			if o := m.s.leases[a.Lease].step.spec.Order; o != nil {
				view.Serving = &candor.Serving{Kind: "ollama", State: candor.ServerUp, Take: 1, Slots: 1, Models: slices.DeleteFunc(slices.Clone(view.Serving.Models), func(s candor.ServedModel) bool { return s.Name == o.Model })}
				r.Order = &candor.OrderResult{Changed: true, After: view.Serving.Models}
			}
			results = append(results, r)
		}
		m.running["w1"] = m.asks("w1", view, results...).Tasks
		if big.state != queued {
			return
		}
	}
	t.Fatalf("big waits: %s", m.why(big.id).Text)
}
