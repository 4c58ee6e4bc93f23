package sched

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares the lines of a story with testdata.
func golden(t *testing.T, name string, events []candor.Event) {
	t.Helper()
	var lines []string
	for _, e := range events {
		lines = append(lines, "["+candor.FormatTime(e.At)+"] "+string(e.Level)+" "+e.Text)
	}
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Fatalf("%s (-update writes it anew):\n%s", file, diff)
	}
}

// All are busy, as the brain tells it: 200 tasks, 3 workers. A busy
// worker attempts no claim, so its line is the MONITOR's: 197 wait, 3 run.
func TestABusyFarmInWords(t *testing.T) {
	f := newFarm(t, Config{})
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		f.join(name, gpu(24*candor.GiB))
	}
	f.submit(cpu("topics", items(200), func(st *candor.Step) { st.Class = candor.ClassScript }))
	var leases []candor.Assignment
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		leases = append(leases, f.take(name))
	}
	f.now = f.now.Add(30 * time.Second)
	for i, name := range []string{"worker-1", "worker-2", "worker-3"} {
		f.beat(name, leases[i].Lease)
	}
	f.do(Tick{})
	if st := f.do(Status{}).(candor.Status); st.Processing != 3 || st.Queue[candor.ClassScript] != 197 || st.GPUsBusy != 3 {
		t.Fatalf("%+v", st)
	}
	golden(t, "busy.txt", f.told())
}

// A worker dies, as the brain tells it: stuck, then lost, then taken back.
func TestADeadWorkerInWords(t *testing.T) {
	f := newFarm(t, Config{Monitor: time.Hour})
	f.join("worker-1", gpu(24*candor.GiB))
	f.submit(cpu("add_topics", items(2)))
	a := f.take("worker-1")
	progress := candor.Progress{Kind: "output", State: "sleeping", PID: 8812, At: f.now}
	beat := func() {
		f.do(Heartbeat{"worker-1", candor.HeartbeatRequest{Session: f.at["worker-1"], Doing: "running add_topics[0]",
			Running: []candor.LeaseProgress{{Lease: a.Lease, Progress: progress}}}})
	}
	for range 61 {
		beat()
		f.pass(5 * time.Second)
	}
	progress.At = f.now
	beat()
	f.pass(64 * time.Second)
	f.pass(56 * time.Second)
	f.join("worker-2")
	f.hand("worker-2", done(f.take("worker-2")))
	golden(t, "dead.txt", f.told())
}

// A stuck task is a warning of its own, once; the farm's summary is none.
func TestTheMonitorDoesNotWarn(t *testing.T) {
	f := newFarm(t, Config{Monitor: time.Minute, Stuck: map[candor.Class]time.Duration{candor.ClassCPU: time.Minute}})
	f.join("worker-1")
	f.submit(cpu("add_topics"))
	a := f.take("worker-1")
	for range 30 {
		f.beat("worker-1", a.Lease)
		f.pass(5 * time.Second)
	}
	warned := 0
	for _, e := range f.told() {
		switch {
		case e.Code == candor.EventTaskStuck && e.Level == candor.LevelWarn:
			warned++
		case e.Code == candor.EventMonitor && e.Level != candor.LevelInfo:
			t.Errorf("%s %s", e.Level, e.Text)
		}
	}
	if st := f.do(Status{}).(candor.Status); st.Stuck != 1 || warned != 1 {
		t.Errorf("%d stuck, %d warnings", st.Stuck, warned)
	}
}
