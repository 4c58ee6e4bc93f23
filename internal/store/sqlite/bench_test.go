package sqlite

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

var noon = time.Date(2026, 2, 7, 12, 0, 0, 0, time.UTC)

func openBench(b *testing.B) *Store {
	s, err := Open(b.Context(), Options{Dir: b.TempDir(), Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// farm makes the changes of a brain that drains one large batch.
type farm struct {
	meta     sched.Meta
	revision int64
	first    candor.TaskID
	batch    candor.BatchID
}

func (f *farm) changes() *sched.Changes {
	f.revision++
	return &sched.Changes{Revision: f.revision, Meta: f.meta}
}

func submit(b testing.TB, s *Store, n int, item func(i int) json.RawMessage) *farm {
	snap, err := s.Load(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	f := &farm{meta: snap.Meta, revision: snap.Revision, first: snap.Meta.NextTask, batch: snap.Meta.NextBatch}
	c := f.changes()
	c.NewBatches = []sched.BatchRecord{{ID: f.batch, Name: "bench", State: candor.BatchActive, CreatedAt: noon, Total: n}}
	c.NewSteps = []sched.StepRecord{{Batch: f.batch, Step: candor.Step{Name: "work", Class: candor.ClassCPU, Run: "true", Each: &candor.Each{}}, Expanded: true, Total: n}}
	c.NewTasks = make([]sched.TaskRecord, n)
	for i := range c.NewTasks {
		c.NewTasks[i] = sched.TaskRecord{ID: f.first + candor.TaskID(i), Batch: f.batch, Index: i, Item: item(i), State: candor.TaskQueued, Tries: 1, QueuedAt: noon}
	}
	f.meta.NextTask += candor.TaskID(n)
	f.meta.NextBatch++
	c.Meta = f.meta
	if err := s.Commit(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	return f
}

func number(i int) json.RawMessage { return json.RawMessage(fmt.Sprintf(`"input/%08d.md"`, i)) }

// round is the commit number i: per tasks claimed, and those claimed two
// rounds ago completed, each with its event.
func (f *farm) round(i, per int) *sched.Changes {
	c := f.changes()
	event := func(code candor.EventCode, r *sched.TaskRecord, text string) {
		f.meta.NextEvent++
		c.Events = append(c.Events, candor.Event{
			Seq: f.meta.NextEvent, At: noon, Level: candor.LevelInfo, Code: code, Batch: f.batch, Task: r.ID, Attempt: 1,
			Lease: r.Lease, Worker: r.Worker, Class: candor.ClassCPU,
			Text: fmt.Sprintf("%s cpu task %s: work[%d]", text, r.ID, r.Index),
		})
	}
	for k := range per {
		n := i*per + k
		r := sched.TaskRecord{ID: f.first + candor.TaskID(n), Batch: f.batch, Index: n, Was: candor.TaskQueued, State: candor.TaskProcessing,
			Attempt: 1, Tries: 1, Worker: "worker-1", Lease: int64(n) + 1, QueuedAt: noon, StartedAt: noon.Add(time.Second)}
		c.Tasks = append(c.Tasks, r)
		event(candor.EventTaskClaimed, &r, "Claimed")
		if i < 2 {
			continue
		}
		n -= 2 * per
		done := r
		done.ID, done.Index, done.Was, done.WasLease, done.Lease = f.first+candor.TaskID(n), n, candor.TaskProcessing, int64(n)+1, int64(n)+1
		done.State, done.FinishedAt = candor.TaskComplete, noon.Add(2*time.Second)
		c.Tasks = append(c.Tasks, done)
		event(candor.EventTaskComplete, &done, "Completed after 3ms")
	}
	c.Meta = f.meta
	return c
}

// BenchmarkCommit commits claims, as many completions, and an event for each.
func BenchmarkCommit(b *testing.B) {
	for _, queued := range []int{0, 1_000_000} {
		for _, per := range []int{3, 100} {
			b.Run(fmt.Sprintf("queued=%d/per=%d", queued, per), func(b *testing.B) { benchCommit(b, queued, per) })
		}
	}
}

func benchCommit(b *testing.B, queued, per int) {
	s := openBench(b)
	f := submit(b, s, queued+per*b.N, number)
	runtime.GC()
	b.ResetTimer()
	slowest := time.Duration(0)
	for i := range b.N {
		b.StopTimer()
		c := f.round(i, per)
		b.StartTimer()
		if err := s.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
		slowest = max(slowest, s.Stats().Last)
	}
	b.ReportMetric(float64(per*b.N)/b.Elapsed().Seconds(), "tasks/s")
	b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
	b.ReportMetric(float64(s.Stats().Usual.Microseconds())/1000, "usual-ms")
}

// BenchmarkEnqueue commits a batch of 100,000 tasks with an item each.
func BenchmarkEnqueue(b *testing.B) {
	s := openBench(b)
	for b.Loop() {
		submit(b, s, 100_000, number)
	}
	b.ReportMetric(float64(100_000*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkLoad loads a batch of a million queued tasks.
func BenchmarkLoad(b *testing.B) {
	s := openBench(b)
	submit(b, s, 1_000_000, number)
	for b.Loop() {
		snap, err := s.Load(b.Context())
		if err != nil || len(snap.Batches[0].Tasks) != 1_000_000 {
			b.Fatal(err, len(snap.Batches))
		}
	}
	b.ReportMetric(float64(1_000_000*b.N)/b.Elapsed().Seconds(), "rows/s")
}
