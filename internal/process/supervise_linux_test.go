package process

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sample(t *testing.T, p *Process) Sample {
	t.Helper()
	s, err := p.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// F25: sleeping, spinning and stopped are told apart, and all from working.
func TestSamplesTellTheHungApart(t *testing.T) {
	cases := []struct {
		part string
		want Kind
	}{
		{"sleep", Idle}, {"spin", Spinning}, {"stop", Halted},
	}
	for _, c := range cases {
		t.Run(c.part, func(t *testing.T) {
			p := startReady(t, part(t, c.part))
			var v Verdict
			until(t, "the kind "+string(c.want), func() bool {
				a := sample(t, p)
				<-time.After(200 * time.Millisecond)
				v = Classify(a, sample(t, p))
				return v.Kind == c.want
			})
			if v.Progress || v.Procs != 1 || v.Output != 0 {
				t.Errorf("verdict %+v", v)
			}
			if s := sample(t, p); s.RSS <= 0 || s.Procs[0].PID != p.PID() || s.Output.Last.IsZero() {
				t.Errorf("sample %+v", s)
			}
		})
	}
}

func TestSampleSeesFilesAndTheJobsOwnWord(t *testing.T) {
	spec := part(t, "progress")
	spec.ProgressFile, spec.WatchDir = filepath.Join(t.TempDir(), "progress"), spec.Dir
	before := Sample{At: time.Now()}
	p := start(t, spec)
	var s Sample
	until(t, "progress and file", func() bool {
		s = sample(t, p)
		return s.Progress != nil && s.Files.Bytes == 1000
	})
	if *s.Progress != (Progress{Done: 40, Total: 125, Note: "rows"}) || s.Files.Files != 1 {
		t.Errorf("sample %+v", s)
	}
	if v := Classify(before, s); v.Kind != Working || !v.Progress || !v.Said || v.Files != 1000 {
		t.Errorf("verdict %+v", v)
	}
}

func TestSampleCountsTheWholeFamily(t *testing.T) {
	p := start(t, part(t, "family"))
	pid := leftPID(t, p)
	until(t, "both in one sample", func() bool {
		s := sample(t, p)
		return len(s.Procs) == 2 && (s.Procs[0].PID == pid || s.Procs[1].PID == pid)
	})
}

// A grandchild with a session of its own, an empty environment and a dead
// parent is still found by the output that it holds.
func TestNamelessHolderOfTheOutputIsFound(t *testing.T) {
	p := start(t, part(t, "leave-nameless"))
	e := wait(t, p)
	pid := leftPID(t, p)
	assertEnded(t, pid)
	if len(e.Stragglers) != 1 || e.Stragglers[0].PID != pid || e.PipeHeld {
		t.Errorf("exit %+v, want straggler %d", e, pid)
	}
}

// F26: a gigabyte goes through without the job waiting for a reader, and the
// disk holds no more than the limit.
func TestGigabyteIsDrainedAndBounded(t *testing.T) {
	const n = 1_000_000_000
	spec := part(t, "print", "N=1000000000")
	spec.LogLimit = 1 << 20
	begun := time.Now()
	p := start(t, spec)
	e := wait(t, p)
	t.Logf("%d bytes in %v", n, time.Since(begun))
	if !e.OK() || e.Output.Written != n || !e.Output.Truncated || e.Output.LogErr != "" {
		t.Fatalf("exit %+v", e)
	}
	b, err := os.ReadFile(spec.Log)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 1<<20+100 {
		t.Errorf("log has %d bytes, limit %d", len(b), 1<<20)
	}
	if got := strings.Count(string(b), "\n[... truncated, 1.0 GB written ...]\n"); got != 1 {
		t.Errorf("%d marker lines", got)
	}
	if left, _ := filepath.Glob(spec.Log + ".*"); len(left) != 0 {
		t.Errorf("left beside the log: %v", left)
	}
}

func TestFullDiskDoesNotStopTheJob(t *testing.T) {
	spec := part(t, "print", "N=1000000")
	spec.Log = "/dev/full"
	p := start(t, spec)
	e := wait(t, p)
	if !e.OK() || e.Output.Written != 1_000_000 || !strings.Contains(e.Output.LogErr, "no space left") {
		t.Errorf("exit %+v", e)
	}
}

func TestParseStatWithAnAwkwardName(t *testing.T) {
	line := "812 (a) R 1 (b) T 4 812 811 0 -1 0 0 0 0 0 150 50 30 20 20 0 1 0 98765 1000 3 18446744073709551615 0\n"
	e, ok := parseStat(812, []byte(line))
	want := Proc{PID: 812, PPID: 4, Comm: "a) R 1 (b", State: Stopped, Start: 98765}
	if !ok || e.Proc != want || e.pgid != 812 || e.sid != 811 || e.cpu != 2500*time.Millisecond {
		t.Errorf("%+v %v", e, ok)
	}
	threads := strings.Replace(strings.Replace(line, ") T 4", ") Z 4", 1), " 20 0 1 0 ", " 20 0 3 0 ", 1)
	if e, ok := parseStat(812, []byte(threads)); !ok || !e.State.Alive() {
		t.Errorf("a process whose first thread alone has ended: %+v", e)
	}
	if _, ok := parseStat(1, []byte("1 (x) R 1 2")); ok {
		t.Error("a cut line was accepted")
	}
}

// An orphan that a subreaper inherited is reaped together with its family.
func TestSubreaperLeavesNoZombies(t *testing.T) {
	if err := BecomeSubreaper(); err != nil {
		t.Fatal(err)
	}
	p := start(t, part(t, "leave-behind"))
	wait(t, p)
	pid := leftPID(t, p)
	until(t, "the orphan to be reaped", func() bool { return ProcState(pid).State == Gone })
	if r := p.Terminate(context.Background(), 0); len(r.Survivors) != 0 {
		t.Errorf("report %+v", r)
	}
}

func BenchmarkSample(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	p, err := Start(wallClock{}, Spec{
		Argv: []string{self}, Dir: b.TempDir(), Env: []string{"CHILD=sleep"}, Mark: []string{EnvLease + "=7"},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Terminate(context.Background(), 0)
	for b.Loop() {
		if _, err := p.Sample(); err != nil {
			b.Fatal(err)
		}
	}
}
