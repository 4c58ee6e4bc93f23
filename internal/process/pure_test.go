package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestClassify(t *testing.T) {
	at := time.Unix(1000, 0)
	sleeping, stopped := Proc{PID: 5, State: Sleeping}, Proc{PID: 6, State: Stopped}
	base := Sample{At: at, CPUKnown: true, Procs: []Proc{sleeping}, Output: Output{Written: 10}}
	cases := []struct {
		name   string
		change func(*Sample)
		want   Kind
	}{
		{"nothing", func(*Sample) {}, Idle},
		{"timer's worth of CPU", func(s *Sample) { s.CPU = 90 * time.Millisecond }, Idle},
		{"CPU", func(s *Sample) { s.CPU = time.Second }, Spinning},
		{"output", func(s *Sample) { s.Output.Written++ }, Working},
		{"file touched", func(s *Sample) { s.Files.Newest = at }, Working},
		{"file shrunk", func(s *Sample) { s.Files.Bytes = -4 }, Working},
		{"own word", func(s *Sample) { s.Progress = &Progress{Done: 1} }, Working},
		{"all stopped", func(s *Sample) { s.Procs = []Proc{stopped, {PID: 7, State: Zombie}} }, Halted},
		{"one stopped", func(s *Sample) { s.Procs = []Proc{stopped, sleeping} }, Idle},
		{"gone", func(s *Sample) { s.Procs = nil; s.Output.Written++ }, Ended},
		{"zombies", func(s *Sample) { s.Procs = []Proc{{PID: 7, State: Zombie}} }, Ended},
		{"CPU unknown", func(s *Sample) { s.CPUKnown = false }, Unknown},
		{"CPU fell", func(s *Sample) { s.CPU = -time.Second }, Idle},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := base
			b.At = at.Add(10 * time.Second)
			c.change(&b)
			v := Classify(base, b)
			if v.Kind != c.want || v.Progress != (c.want == Working) || v.Window != 10*time.Second || v.CPU < 0 {
				t.Errorf("verdict %+v, want %s", v, c.want)
			}
		})
	}
}

func TestBlame(t *testing.T) {
	host := func(n int64) oomCount { return oomCount{host: n, hostKnown: true} }
	leaf := func(n int64) oomCount { return oomCount{host: 9, hostKnown: true, leaf: n, leafKnown: true} }
	cases := []struct {
		name          string
		code, signal  int
		ours          bool
		before, after oomCount
		want          Cause
	}{
		{"plain exit", 3, 0, false, host(1), host(2), CauseNone},
		{"ours", -1, 9, true, host(1), host(2), CauseOurs},
		{"crash", -1, 11, false, host(1), host(2), CauseOther},
		{"host counted", -1, 9, false, host(1), host(2), CauseMaybeOOM},
		{"host did not", -1, 9, false, host(1), host(1), CauseOther},
		{"nobody counts", -1, 9, false, oomCount{}, oomCount{}, CauseMaybeOOM},
		{"leaf counted", -1, 9, false, leaf(0), leaf(1), CauseOOM},
		{"leaf did not", -1, 9, false, leaf(1), leaf(1), CauseOther},
		{"shell's child", 137, 0, false, leaf(0), leaf(1), CauseOOM},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, evidence := blame(c.code, c.signal, c.ours, c.before, c.after)
			if got != c.want || (evidence == "") != (c.want == CauseNone) {
				t.Errorf("blame = %q (%s), want %q", got, evidence, c.want)
			}
			if strings.Contains(evidence, "KILL") || strings.Contains(evidence, "SEGV") {
				t.Errorf("%q names the signal, which stands before it in every sentence", evidence)
			}
		})
	}
}

func TestMembers(t *testing.T) {
	row := func(pid, ppid, pgid, sid int, start uint64) entry {
		return entry{Proc: Proc{PID: pid, PPID: ppid, Start: start, State: Sleeping}, pgid: pgid, sid: sid}
	}
	table := []entry{
		row(1, 0, 1, 1, 0),
		row(99, 1, 99, 99, 10),     // ourselves
		row(100, 99, 100, 100, 50), // main
		row(101, 100, 100, 100, 51),
		row(102, 101, 102, 100, 52), // own group, same session
		row(103, 1, 103, 103, 53),   // marked
		row(105, 104, 105, 105, 56), // grandchild of one that left the session
		row(104, 101, 104, 104, 55), // left the session, by descent
		row(106, 99, 106, 106, 60),  // a sibling attempt
		row(107, 1, 100, 100, 40),   // older than main: number in use before
	}
	id := identity{pid: 100, start: 50, group: true, self: 99, special: func(e entry) bool { return e.PID == 103 }}
	type hit struct {
		PID int
		Kin bool
	}
	got := func(id identity) (hits []hit) {
		for _, e := range id.members(table) {
			hits = append(hits, hit{e.PID, e.kin})
		}
		return hits
	}
	want := []hit{{100, true}, {101, true}, {102, true}, {103, true}, {104, false}, {105, false}}
	if d := cmp.Diff(want, got(id)); d != "" {
		t.Error(d)
	}
	id.group = false
	if d := cmp.Diff([]hit{{103, true}}, got(id)); d != "" {
		t.Error("without the group: " + d)
	}
}

func TestReadProgress(t *testing.T) {
	cases := map[string]*Progress{
		"":                            nil,
		"40 125\n":                    {Done: 40, Total: 125},
		"40/125 half way there\n":     {Done: 40, Total: 125, Note: "half way there"},
		"7 files\n":                   {Done: 7, Note: "files"},
		"1 2\n2 2\njunk\n-1 5\n9 5\n": {Done: 2, Total: 2},
		"1 2\n2 2":                    {Done: 1, Total: 2},
		"1 2 \x1b[2J\n":               {Done: 1, Total: 2, Note: "\uFFFD[2J"},
		"99999999999999999999 1\n":    nil,
		"1 2\r\n":                     {Done: 1, Total: 2},
		"1 2\n" + strings.Repeat("x", progressWindow) + "\n3 4\n": {Done: 3, Total: 4},
	}
	for text, want := range cases {
		path := filepath.Join(t.TempDir(), "p")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadProgress(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%.40q: %s", text, d)
		}
	}
}

func TestReadProgressOfWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if p, err := ReadProgress(filepath.Join(dir, "missing")); p != nil || err != nil {
		t.Errorf("missing file: %v, %v", p, err)
	}
	if p, err := ReadProgress(dir); err == nil {
		t.Errorf("a folder was read as %v", p)
	}
}

func TestAppendProgressIsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	for _, bad := range []Progress{{Done: -1}, {Done: 3, Total: 2}, {Total: -1}} {
		if err := AppendProgress(path, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	want := Progress{Done: 40, Total: 125, Note: "two lines"}
	if err := AppendProgress(path, Progress{Done: 40, Total: 125, Note: "two\nlines"}); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadProgress(path); err != nil || *got != want {
		t.Errorf("read back %+v, %v", got, err)
	}
}

func FuzzProgress(f *testing.F) {
	for _, seed := range []string{"40 125\n", "1/2 x\n", "\xff\n", "5 6 \x00\n\n", "1 2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := lastProgress(text)
		if p == nil {
			return
		}
		if p.Done < 0 || p.Total < 0 || p.Total > 0 && p.Done > p.Total || len(p.Note) > progressNote || !utf8.ValidString(p.Note) {
			t.Errorf("%q was read as %+v", text, *p)
		}
	})
}

func TestMeasureGrowthIsBounded(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("12345"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g, err := MeasureGrowth(t.Context(), dir, 100)
	if err != nil || g.Bytes != 15 || g.Files != 3 || g.Partial || g.Newest.IsZero() {
		t.Errorf("%+v, %v", g, err)
	}
	if g, err := MeasureGrowth(t.Context(), dir, 2); err != nil || !g.Partial || g.Files != 1 {
		t.Errorf("bounded: %+v, %v", g, err)
	}
	if g, err := MeasureGrowth(t.Context(), filepath.Join(dir, "missing"), 2); err != nil || g != (Growth{}) {
		t.Errorf("missing: %+v, %v", g, err)
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_960: "1.0 MB", 1 << 30: "1.1 GB", 1_000_000_000: "1.0 GB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
}
