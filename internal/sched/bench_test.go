package sched

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"candor"
)

// crowd is a state with n tasks queued and workers that could take them.
func crowd(b *testing.B, n, workers int) (*State, []int64) {
	b.Helper()
	s := New(Config{}, &Snapshot{})
	sessions := make([]int64, workers)
	for i := range workers {
		reply, err := s.Apply(epoch, Register{candor.RegisterRequest{Protocol: candor.Protocol, Verified: true, Info: candor.WorkerInfo{
			Name: fmt.Sprintf("w%03d", i), PID: i + 1, Slots: 8, Classes: candor.Classes()}}})
		if err != nil {
			b.Fatal(err)
		}
		sessions[i] = reply.(candor.RegisterReply).Session
	}
	enqueue(b, s, n)
	return s, sessions
}

func enqueue(b *testing.B, s *State, n int) {
	b.Helper()
	st := candor.Step{Name: "s", Class: candor.ClassCPU, Each: &candor.Each{Items: make([]json.RawMessage, n)}}
	for i := range n {
		st.Each.Items[i] = json.RawMessage(fmt.Sprintf(`{"file":"docs/%d.md"}`, i))
	}
	if _, err := s.Apply(epoch, Submit{Sub: candor.Submission{Name: "bench", Steps: []candor.Step{st}}}); err != nil {
		b.Fatal(err)
	}
	s.Take()
}

var sizes = []int{1_000, 1_000_000}

// BenchmarkClaimAndComplete is the cost of one task, with many queued: eight
// results and eight claims in a request, as busy workers send them. It must not
// hang on how many wait.
func BenchmarkClaimAndComplete(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("queued=%d", n), func(b *testing.B) {
			s, sessions := crowd(b, n, 10)
			results := make([][]candor.Result, len(sessions))
			now, left := epoch, n
			for i := 0; b.Loop(); i += 8 {
				if left < 100 {
					b.StopTimer()
					enqueue(b, s, n)
					left = n
					b.StartTimer()
				}
				k := (i / 8) % len(sessions)
				now = now.Add(time.Microsecond)
				reply, err := s.Apply(now, Claim{Worker: fmt.Sprintf("w%03d", k), Req: candor.ClaimRequest{Session: sessions[k], Max: 8, Results: results[k]}})
				if err != nil {
					b.Fatal(err)
				}
				results[k] = results[k][:0]
				for _, a := range reply.(candor.ClaimReply).Tasks {
					results[k] = append(results[k], candor.Result{Task: a.Task, Lease: a.Lease, Outcome: candor.AttemptDone})
				}
				left -= len(results[k])
				s.Take()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*8), "ns/task")
		})
	}
}

func BenchmarkEligible(b *testing.B) {
	want := Want{Class: candor.ClassLLM, Model: "m", VRAM: candor.GiB, Labels: []string{"fast"}, Tools: []string{"ffmpeg"}}
	info := candor.WorkerInfo{Name: "w", Classes: candor.Classes(), Slots: 1, Labels: []string{"fast"}}
	have := Have{Info: &info, Programs: onPath("ffmpeg"), State: candor.WorkerHot, Models: []candor.ServedModel{{Name: "m", Ready: true}}, VRAM: 8 * candor.GiB, Free: 8 * candor.GiB}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if code, _ := Eligible(&want, &have, nil); code != "" {
				b.Fatal(code)
			}
		}
	})
	b.Run("recorded", func(b *testing.B) {
		for b.Loop() {
			rec := Recorder{}
			if code, _ := Eligible(&want, &have, &rec); code != "" || len(rec.Checks) == 0 {
				b.Fatal(code)
			}
		}
	})
}

// BenchmarkSubmitMillion makes a million queued tasks, and says what one of
// them keeps in memory, its item of some 24 bytes included.
func BenchmarkSubmitMillion(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heapInUse()
		s, _ := crowd(b, n, 1)
		b.ReportMetric(float64(heapInUse()-before)/n, "B/task")
		runtime.KeepAlive(s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/task")
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkWhy explains one of a million queued tasks: the last one, so that
// its place in the queue has to be counted.
func BenchmarkWhy(b *testing.B) {
	for _, c := range []struct{ n, workers int }{{1_000, 10}, {1_000_000, 10}, {1_000_000, 1_000}} {
		b.Run(fmt.Sprintf("queued=%d/workers=%d", c.n, c.workers), func(b *testing.B) {
			s, _ := crowd(b, c.n, c.workers)
			last := s.order[0].steps[0].tasks[c.n-1].id.String()
			for b.Loop() {
				if _, err := s.Apply(epoch, Why{last}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTick is the cost of letting time pass with a million queued.
func BenchmarkTick(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("queued=%d", n), func(b *testing.B) {
			s, _ := crowd(b, n, 100)
			for b.Loop() {
				if _, err := s.Apply(epoch, Tick{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkResolve finds a task by the first characters of its id.
func BenchmarkResolve(b *testing.B) {
	s, _ := crowd(b, 1_000_000, 1)
	prefix := s.order[0].steps[0].tasks[999_999].id.String()[:8]
	for b.Loop() {
		if _, err := s.Apply(epoch, Resolve{prefix}); err != nil {
			b.Fatal(err)
		}
	}
}

// coldFarm is a state with workers that have a model server and no model, one on
// each host, and tasks for some models.
func coldFarm(tb testing.TB, workers, models int) *State {
	tb.Helper()
	s := New(Config{}, &Snapshot{})
	catalog := &candor.Catalog{}
	sub := candor.Submission{Name: "bench"}
	for i := range models {
		name := fmt.Sprintf("m%02d", i)
		catalog.Models = append(catalog.Models, candor.CatalogModel{Name: name, Size: 4 * candor.GiB})
		st := candor.Step{Name: name, Class: candor.ClassLLM, Model: name, Run: "true", Each: &candor.Each{Items: make([]json.RawMessage, 1000+i)}}
		for k := range st.Each.Items {
			st.Each.Items[k] = json.RawMessage("1")
		}
		sub.Steps = append(sub.Steps, st)
	}
	for i := range workers {
		info := candor.WorkerInfo{
			Name: fmt.Sprintf("w%04d", i), Host: fmt.Sprintf("h%04d", i), PID: i + 1, Slots: 1, Classes: candor.Classes(),
			GPU: &candor.GPU{Name: "card", Total: 8 * candor.GiB, Free: 8 * candor.GiB},
		}
		view := candor.View{State: candor.WorkerCold, Serving: &candor.Serving{Kind: "ollama", State: candor.ServerUp, Take: 1, Slots: 1}}
		if _, err := s.Apply(epoch, Register{candor.RegisterRequest{Protocol: candor.Protocol, Verified: true, Info: info, View: view, Catalog: catalog}}); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := s.Apply(epoch, Submit{Sub: sub}); err != nil {
		tb.Fatal(err)
	}
	s.Take()
	return s
}

// BenchmarkPlace is the cost of looking at placement: the first look orders a
// load for each worker, a later one finds the orders under way.
func BenchmarkPlace(b *testing.B) {
	for _, c := range []struct{ workers, models int }{{100, 1}, {1000, 1}, {1000, 20}} {
		name := fmt.Sprintf("workers=%d/models=%d", c.workers, c.models)
		b.Run(name+"/first", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := coldFarm(b, c.workers, c.models)
				b.StartTimer()
				s.place()
			}
		})
		s := coldFarm(b, c.workers, c.models)
		s.place()
		b.Run(name+"/later", func(b *testing.B) {
			for b.Loop() {
				s.replan()
				s.place()
			}
		})
		b.Run(name+"/models", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Apply(epoch, Models{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// manyShapes is a state with n shapes of queued tasks, and a worker that may take
// none of them.
func manyShapes(b *testing.B, n int) (*State, int64) {
	b.Helper()
	s := New(Config{}, &Snapshot{})
	info := candor.WorkerInfo{Name: "w", PID: 1, Slots: 100, Classes: candor.Classes()}
	sub := candor.Submission{Name: "bench"}
	for i := range n {
		label := fmt.Sprintf("l%d", i)
		sub.Steps = append(sub.Steps, candor.Step{Name: label, Class: candor.ClassCPU, Run: "true", Requires: candor.Requires{Labels: []string{label}}})
	}
	reply, err := s.Apply(epoch, Register{candor.RegisterRequest{Protocol: candor.Protocol, Verified: true, Info: info}})
	if err != nil {
		b.Fatal(err)
	}
	const most = 1000 // steps in a plan
	for i := 0; i < n; i += most {
		if _, err := s.Apply(epoch, Submit{Sub: candor.Submission{Name: "bench", Steps: sub.Steps[i:min(n, i+most)]}}); err != nil {
			b.Fatal(err)
		}
	}
	return s, reply.(candor.RegisterReply).Session
}

// BenchmarkShapes is the cost of claims over many shapes: one that takes 100
// tasks, and one that is held and finds nothing, tried again for a new task.
func BenchmarkShapes(b *testing.B) {
	const n = 10_000
	b.Run("claim", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			s, session := manyShapes(b, n)
			s.workers["w"].info.Labels = []string{"all"}
			for _, sh := range s.shapeList {
				sh.want.Labels = s.workers["w"].info.Labels
			}
			b.StartTimer()
			reply, err := s.Apply(epoch, Claim{Worker: "w", Req: candor.ClaimRequest{Session: session, Max: 100}})
			if err != nil || len(reply.(candor.ClaimReply).Tasks) != 100 {
				b.Fatal(err, reply)
			}
		}
	})
	b.Run("held", func(b *testing.B) {
		s, session := manyShapes(b, n)
		claim := Claim{Worker: "w", Req: candor.ClaimRequest{Session: session, Max: 1}}
		for again := false; b.Loop(); again = true {
			s.shapeList[0].fresh, s.ready, s.narrow = s.ready+1, s.ready+1, s.narrow+1
			claim.Again = again
			if _, err := s.Apply(epoch, claim); err != nil {
				b.Fatal(err)
			}
		}
	})
}
