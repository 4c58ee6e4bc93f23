package sched

import (
	"slices"
	"testing"
	"time"

	"candor"
)

// bomb runs a task that kills whoever runs it, on workers whose supervisor
// restarts them at once, until it is set aside. It returns who died.
func (f *farm) bomb(names ...string) (task candor.TaskID, died []string) {
	f.t.Helper()
	f.submit(cpu("bomb"))
	for range 60 {
		for _, name := range names {
			r := f.claim(name)
			if len(r.Tasks) == 0 {
				continue
			}
			task, died = r.Tasks[0].Task, append(died, name)
			exited(f, name, true)
			f.pass(100 * time.Millisecond)
			f.join(name, supervised)
		}
		if task != 0 && f.state(task) == candor.TaskFailed {
			return task, died
		}
		f.pass(time.Second)
	}
	f.t.Fatalf("after a minute it is %s; %q died", f.state(task), died)
	return 0, nil
}

// F46: two deaths set a task aside, whatever the number of workers.
func TestTwoDeathsSetATaskAside(t *testing.T) {
	for _, c := range []struct {
		names []string
		text  string
	}{
		{[]string{"w1"}, "set aside after 2 workers died under it: w1 twice"},
		{[]string{"w1", "w2"}, "set aside after 2 workers died under it: w1, w2"},
		{[]string{"w1", "w2", "w3"}, "set aside after 2 workers died under it: w1, w2"},
	} {
		f := newFarm(t, Config{})
		for _, name := range c.names {
			f.join(name, supervised)
		}
		task, died := f.bomb(c.names...)
		if len(died) != 2 {
			t.Errorf("with %d workers %d died: %q", len(c.names), len(died), died)
		}
		f.expect(f.why(task), candor.ReasonPoison, c.text)
	}
}

// A death that had nothing to do with the task, shortly before: one more is
// needed, and all that died under it are named.
func TestADeathBeforeTakesOneMore(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.join("w2", supervised)
	exited(f, "w2", true)
	f.join("w2", supervised)
	f.submit(cpu("bomb"))
	a := f.take("w1")
	exited(f, "w1", true)
	f.join("w1", supervised)
	f.take("w2")
	exited(f, "w2", true)
	f.join("w2", supervised)
	f.expect(f.why(a.Task), candor.ReasonSuspect, "w1, w2 died under it; if another one does, it is set aside")
	f.pass(11 * time.Second)
	f.take("w1")
	exited(f, "w1", true)
	f.join("w1", supervised)
	for range 3 {
		if f.state(a.Task) == candor.TaskFailed {
			break
		}
		f.pass(11 * time.Second)
		f.take("w2")
		exited(f, "w2", true)
		f.join("w2", supervised)
	}
	if n := f.s.tasks.find(a.Task).attempt; n != 3 {
		t.Errorf("%d deaths, want 3", n)
	}
	r := f.why(a.Task)
	f.expect(r, candor.ReasonPoison, "w1", "w2")
	if names, ok := r.Operands["workers"].([]string); !ok || !slices.Contains(names, "w1") || !slices.Contains(names, "w2") {
		t.Errorf("operands %v", r.Operands)
	}
}

// In a night in which the brain dies, too, two deaths prove nothing: the second
// brain does not know what happened around the first of them.
func TestADeathUnderAFormerBrainTakesOneMore(t *testing.T) {
	disk, f := newDisk(), newFarm(t, Config{})
	f.s = New(Config{}, disk.load())
	f.join("w1", supervised)
	f.join("w2", supervised)
	exited(f, "w2", true)
	f.join("w2", supervised)
	f.submit(cpu("victim"))
	a := f.take("w1")
	exited(f, "w1", true) // right after another: nothing is held back for that
	f.store(disk)

	f.s = New(Config{}, disk.load())
	f.join("w1", supervised) // w2 has gone on
	f.take("w2")
	exited(f, "w2", true)
	f.join("w2", supervised)
	f.expect(f.why(a.Task), candor.ReasonSuspect, "held back until", "w1, w2 died under it; if another one does, it is set aside")
}
