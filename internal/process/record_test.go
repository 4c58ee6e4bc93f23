//go:build linux || darwin

package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordSurvivesItsWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "attempt.json")
	want := Record{
		PID: 4711, Start: 99, Boot: "b", Mark: []string{"A=1"}, Lease: 7, Task: "t_1",
		Argv0: "sh", Started: time.Date(2026, 2, 7, 21, 45, 30, 0, time.UTC),
	}
	if err := WriteRecord(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	want.Schema = recordSchema
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for range 2 {
		if err := RemoveRecord(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadRecord(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
}

func TestReadRecordRefusesJunk(t *testing.T) {
	for _, junk := range []string{"{", "{}", `{"schema":"candor.process/v1","pid":1}`, `{"schema":"x","pid":77}`} {
		path := filepath.Join(t.TempDir(), "r")
		if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := ReadRecord(path); err == nil {
			t.Errorf("%q was read as %+v", junk, r)
		}
	}
}

// TestABlankRecordNamesNothing: what a machine that went down left of a record is
// cleared away, and holds up nobody.
func TestABlankRecordNamesNothing(t *testing.T) {
	dir := t.TempDir()
	for lease, text := range map[int64]string{7: "", 8: strings.Repeat("\x00", 300)} {
		path := LeasePath(dir, lease)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := ReadRecord(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q was read as %+v, %v", text, r, err)
		}
	}
	all, err := KillLeases(wallClock{}, dir, patience)
	if err != nil || len(all) != 2 || !all[0].Clean() || !all[1].Clean() {
		t.Errorf("swept %+v, %v", all, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestKillRecordedEndsGroupAndMarked(t *testing.T) {
	p := start(t, part(t, "family"))
	pid := leftPID(t, p)
	l, err := KillRecorded(wallClock{}, p.Record(), patience)
	if err != nil {
		t.Fatal(err)
	}
	if l.Main.PID != p.PID() || !l.Main.State.Alive() || len(l.Killed) != 2 || len(l.Survivors) != 0 || len(l.Unproven) != 0 {
		t.Errorf("leftover %+v", l)
	}
	assertEnded(t, pid)
	e := wait(t, p)
	if e.Signal != sigKill || e.Cause == CauseOurs {
		t.Errorf("exit %+v", e)
	}
}

func TestKillRecordedFindsTheMarkedAfterTheMainProcess(t *testing.T) {
	spec := part(t, "leave-behind")
	spec.Drain = patience
	p := start(t, spec)
	pid := leftPID(t, p)
	until(t, "the main process to end", func() bool { return ProcState(p.PID()).State == Zombie })
	l, err := KillRecorded(wallClock{}, p.Record(), patience)
	if err != nil {
		t.Fatal(err)
	}
	if l.Main.State != Zombie || len(l.Killed) != 1 || l.Killed[0].PID != pid {
		t.Errorf("leftover %+v", l)
	}
	if e := wait(t, p); len(e.Stragglers) != 0 {
		t.Errorf("exit %+v", e)
	}
}

func TestKillRecordedSparesStrangers(t *testing.T) {
	cases := map[string]func(*Record){
		"number reused":    func(r *Record) { r.Start--; r.Mark = nil },
		"rebooted":         func(r *Record) { r.Boot = "another" },
		"group not proven": func(r *Record) { r.Start--; r.Mark = []string{"CANDOR_TASK_ID=other"} },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			p := startReady(t, part(t, "sleep"))
			r := p.Record()
			change(&r)
			l, err := KillRecorded(wallClock{}, r, patience)
			if err != nil {
				t.Fatal(err)
			}
			if l.Main.State != Gone || len(l.Killed) != 0 {
				t.Errorf("leftover %+v", l)
			}
			if s := ProcState(p.PID()).State; !s.Alive() {
				t.Errorf("the stranger is %s", s)
			}
		})
	}
}
