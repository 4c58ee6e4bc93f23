//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/internal/simrt"
)

// asks is a plan of one step that asks a model.
func asks(step, model, items string, more ...string) string {
	return step + ":\n\t" + strings.ReplaceAll(asking(model, items, more...), "\n", "\n\t")
}

// has is a model server with so many slots, which could load these models.
func has(t *testing.T, slots int, models ...simrt.Model) *played {
	t.Helper()
	return simulate(t, simrt.Options{Slots: slots, Models: models})
}

// works waits until a worker runs so many attempts.
func (f *farm) works(name string, n int) candor.Worker {
	f.t.Helper()
	var w candor.Worker
	f.until(fmt.Sprintf("%s runs %d", name, n), func() bool {
		w = f.worker(name)
		return len(w.Running) == n
	})
	return w
}

// did waits until a worker has completed so many tasks.
func (f *farm) did(name string, n int) {
	f.t.Helper()
	f.until(fmt.Sprintf("%s completes %d tasks", name, n), func() bool { return f.worker(name).Completed >= n })
}

// set changes one rule of a brain that runs.
func (f *farm) set(brain *proc, s settings) {
	f.t.Helper()
	all := calm()
	for key, value := range s {
		all[key] = value
	}
	f.configure(all)
	brain.signal(syscall.SIGHUP)
}

// TestF01OneHot: one worker is hot, and a cap lets no other have the model. The
// idle ones, the tasks and the log name the cap, its value, who reached it and
// for how long; raising it is all it takes.
func TestF01OneHot(t *testing.T) {
	t.Parallel()
	const model = "qwen2.5:7b"
	s := swift()
	s["placement.max_hot"], s["placement.expect"] = "1", "1s"
	f := newFarm(t, s)
	brain := f.brain()
	hot := has(t, 1, light(model))
	f.serves("worker-2", hot)
	f.ends(f.submit("first", asks("warm", model, "[1]")))
	f.serves("worker-1", has(t, 1, light(model)))
	f.serves("worker-3", has(t, 1, light(model)))
	thaw := hot.FreezeRunner(model)
	defer thaw()
	id := f.submit("night", asks("topics", model, numbers(125)))
	f.works("worker-2", 2)
	told := []string{"no load of " + model + " was ordered", "max_hot=1, reached by worker-2"}
	for _, name := range []string{"worker-1", "worker-3"} {
		x := f.comesToSay(name, candor.ReasonPlaceMaxHot, candor.MoverYou, append(told, name+" takes none of 123 queued tasks")...)
		if w := f.worker(name); w.IdleSince.IsZero() || w.Reason == nil || w.Reason.Code != candor.ReasonPlaceMaxHot || x.Reason.Since.IsZero() {
			t.Errorf("%s is idle since %v for %v; since %v", name, w.IdleSince, w.Reason, x.Reason.Since)
		}
	}
	x := f.saysWhy(f.task(id, "topics[124]").ID.String(), candor.ReasonPlaceMaxHot, candor.MoverYou, append(told, "worker-1, worker-3", "worker-2: 2 of 2 slots taken")...)
	if !strings.Contains(x.Reason.Next, "raise placement.max_hot") {
		t.Errorf("next: %q", x.Reason.Next)
	}
	f.until("the brain says it by itself", func() bool {
		return slices.ContainsFunc(f.events(candor.EventOrderOverdue), func(e candor.Event) bool {
			return hasAll(e.Text, append(told, "2 of 3 workers without a model for ", " with 123 llm tasks queued: worker-1, worker-3: "))
		})
	})
	s["placement.max_hot"] = "3"
	f.set(brain, s)
	f.did("worker-1", 1)
	f.did("worker-3", 1)
	thaw()
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("the batch ended with %v", b.Counts)
	}
}

// TestF05HeldByATask: a second model fits the card, but a script task holds it
// now, and the other way round. It is not now, and the holder has a name.
func TestF05HeldByATask(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	m := sized("m", 4*candor.GiB)
	s := simulate(t, simrt.Options{VRAM: 8 << 30, Slots: 1, Models: []simrt.Model{m}})
	f.serves("worker-1", s, "--gpu", "simulated:0:8GiB")
	f.could(1, m)
	hold := f.held("6GiB", "worker-1")
	id := f.submit("second", asks("ask", "m", "[1]"))
	task := f.tasks(id)[0].ID.String()
	told := []string{"worker-1", "2 GiB free of 8 GiB", fmt.Sprintf("held by task %s (hold[0]) 6 GiB", f.tasks(hold)[0].ID)}
	x := f.saysWhy(task, candor.ReasonVRAMHeld, candor.MoverWait, append(told, "no load of m was ordered")...)
	if len(x.Workers) != 1 || x.Workers[0].Verdict != candor.VerdictNotNow {
		t.Errorf("the workers say %+v", x.Workers)
	}
	f.write("go", "")
	f.ends(hold)
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("when the card is free: %v", b.Counts)
	}

	thaw := s.FreezeRunner("m:latest")
	defer thaw()
	busy := f.submit("busy", asks("ask", "m", "[1]"))
	f.works("worker-1", 1)
	script := f.submit("script", "work: {class: script, vram: 6GiB, run: \"true\"}")
	f.saysWhy(f.tasks(script)[0].ID.String(), candor.ReasonVRAMHeld, candor.MoverWait, "worker-1", "4 GiB free of 8 GiB", "held by model m", "4 GiB")
	thaw()
	f.ends(busy)
	if b := f.ends(script); b.Outcome != candor.OutcomeSucceeded { // nobody wants the model any more
		t.Errorf("when the model is idle: %v", b.Counts)
	}
}

// crowd puts a fake nvidia-smi on PATH, which sees one card of 8 GiB. The
// returned function says who is on it; they are nobody's children.
func (f *farm) crowd() func(used int, apps string) {
	f.t.Helper()
	state := filepath.Join(f.dir, "card")
	now := func(used int, apps string) {
		f.t.Helper()
		text := fmt.Sprintf("card='0, GPU-1, FAKE 8GB, 8192, %d, %d, 50, 100.0, 200.00, 50, 00000000:18:00.0, 550.0'\napps='%s'\n", used, 8192-used, apps)
		if err := os.Rename(f.write("card.new", text), state); err != nil { // no reader finds half of it
			f.t.Fatal(err)
		}
	}
	now(0, "")
	path := f.write("bin/nvidia-smi", fmt.Sprintf("#!/bin/sh\n. '%s'\ncase \"$1\" in\n--query-gpu=*) echo \"$card\";;\n--query-compute-apps=*) echo \"$apps\";;\nesac\n", state))
	if err := os.Chmod(path, 0o755); err != nil {
		f.t.Fatal(err)
	}
	f.vars = append(f.vars, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
	return now
}

// TestF05HeldByAStranger: a process that is not ours holds the card. It is named
// by pid, program and memory.
func TestF05HeldByAStranger(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	now := f.crowd()
	now(6144, "GPU-1, 4194300, /opt/blender/blender, 5120\nGPU-1, 4194301, Xorg, 1024")
	f.brain()
	m := sized("m", 4*candor.GiB)
	f.serves("worker-1", simulate(t, simrt.Options{VRAM: 8 << 30, Slots: 1, Models: []simrt.Model{m}}), "--gpu", "0")
	f.could(1, m)
	id := f.submit("second", asks("ask", "m", "[1]"))
	task := f.tasks(id)[0].ID.String()
	told := []string{"worker-1", "2 GiB free of 8 GiB", "held by pid 4194300 (blender) 5 GiB, pid 4194301 (Xorg) 1 GiB"}
	f.comesToSay(task, candor.ReasonVRAMHeld, candor.MoverWait, told...)
	f.comesToSay("worker-1", candor.ReasonVRAMHeld, candor.MoverWait, told...)
	if r := f.candor("model", "load", "m", "--no-wait").ok(); !hasAll(r.out, []string{"nobody can take it now", "pid 4194300 (blender) 5 GiB"}) {
		t.Errorf("an order for it: %s", r.out)
	}
	if w := f.worker("worker-1"); w.Card == nil || len(w.Card.Others) != 2 {
		t.Errorf("its card: %+v", w.Card)
	}
	now(0, "")
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("when they have left: %v", b.Counts)
	}
}

// TestF06Loading: while a model loads, nobody is handed a task for it; it is said
// how long it has loaded, and what that usually takes.
func TestF06Loading(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	m := light("m")
	m.LoadTime = time.Second
	s := has(t, 1, m)
	f.serves("worker-1", s)
	f.warm()
	f.candor("model", "unload", "m").ok()
	s.orders(t, simrt.Fault{Kind: simrt.SlowLoad, DelayMS: 4000, Times: 1})
	id := f.submit("cold", asks("ask", "m", "[1, 2]"))
	task := f.tasks(id)[0]
	f.comesToSay(task.ID.String(), candor.ReasonModelLoading, candor.MoverSystem, "worker-1", "it loads m for ", " of about 1")
	f.until("it has taken longer than usual, by its own account", func() bool {
		work := f.server("worker-1").Work
		return work != nil && work.For > work.Usual && work.Usual >= candor.Duration(time.Second)
	})
	f.saysWhy(task.ID.String(), candor.ReasonModelLoading, candor.MoverSystem, "it loads m for ", " of about 1")
	f.saysWhy("worker-1", candor.ReasonRunning, candor.MoverWait, "load_llm", "m is under way for ", " of about 1")
	f.afterTheLoad(id)
}

// TestF06Busy: a server that answers 503 for a while loads nothing. The order is
// tried again until it does, which is said, and counts against nobody.
func TestF06Busy(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	s := has(t, 1, light("m"))
	f.serves("worker-1", s)
	s.orders(t, simrt.Fault{Kind: simrt.Busy})
	id := f.submit("cold", asks("ask", "m", "[1, 2]"))
	task := f.tasks(id)[0].ID.String()
	told := []string{"worker-1", "load_llm m (t_", "next try at ", "last failure: model m: ", "503", "server busy"}
	var x candor.Explanation
	f.until("it is said why the load is not there", func() bool {
		x = f.why(task)
		return hasAll(x.Reason.Text, told) // at times it is just being tried
	})
	f.reason(&x.Reason, candor.ReasonPlaceOrdered, candor.MoverSystem, told...)
	s.Clear()
	f.afterTheLoad(id)
	if all := f.events(candor.EventOrderFailed); len(all) != 0 {
		t.Errorf("orders failed: %v", all)
	}
}

// afterTheLoad wants a batch to succeed with tasks that were handed out once
// each, and none before a token had come of their model. That is told by the
// worker's view and by the order's result, of which either may come first.
func (f *farm) afterTheLoad(id candor.BatchID) {
	f.t.Helper()
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		f.t.Errorf("the batch ended with %v", b.Counts)
	}
	var loaded, claimed candor.Event
	for _, e := range f.events("") {
		switch {
		case e.Code == candor.EventModelLoaded:
			loaded = e
		case e.Code == candor.EventTaskClaimed && e.Batch == id && claimed.Seq == 0:
			claimed = e
		}
	}
	const apart = time.Second // of two requests of one worker on a busy machine
	if loaded.Seq == 0 || claimed.At.Before(loaded.At.Add(-apart)) {
		f.t.Errorf("loaded at %s, the first task claimed at %s", loaded.At, claimed.At)
	}
	for _, t := range f.tasks(id) {
		if t.Attempt != 1 {
			f.t.Errorf("%s took %d attempts", t.Name, t.Attempt)
		}
	}
}

// TestF15Thrash: two models take turns on one card, since the rules are set so
// and its server holds fewer at once than it was thought to.
// The cycle is named with its numbers, on record and by whoever is asked, while
// it lasts.
func TestF15Thrash(t *testing.T) {
	t.Parallel()
	s := swift()
	s["placement.hold"], s["placement.max_wait"] = "1ms", "1s"
	f := newFarm(t, s)
	f.brain()
	m, n := light("a"), light("b")
	m.Rate, n.Rate = 200, 200
	f.serves("worker-1", simulate(t, simrt.Options{Slots: 1, MaxLoaded: 1, Models: []simrt.Model{m, n}}))
	first := f.submit("first", asks("one", "a", numbers(400)))
	second := f.submit("second", asks("two", "b", numbers(400)))
	told := []string{"worker-1 swaps ", " times in ", " % of the time loading"}
	e := f.lateOnce(candor.EventThrash, append(told, "placement.max_wait")...)
	if !strings.Contains(e.Text, "a→b→a") && !strings.Contains(e.Text, "b→a→b") {
		t.Errorf("no cycle: %s", e.Text)
	}
	f.comesToSay("worker-1", candor.ReasonThrash, candor.MoverYou, append(told, "; now: ")...)
	last := f.task(second, "two[399]").ID.String()
	x := f.comesToSay(last, candor.ReasonThrash, candor.MoverYou, told...)
	if !strings.Contains(x.Reason.Next, "placement.hold") {
		t.Errorf("next: %q", x.Reason.Next)
	}
	// Told again only if a late view of the server had shown both meanwhile.
	if !slices.ContainsFunc(f.events(candor.EventModelGone), func(e candor.Event) bool {
		return hasAll(e.Text, []string{"is gone from worker-1", "its server is taken to hold 1 model at once"})
	}) {
		t.Errorf("it is not told that one pushes out the other: %+v", f.events(candor.EventModelGone))
	}
	f.candor("cancel", first.String(), second.String()).ok()
	f.ends(first)
	f.ends(second)
	f.until("it is over", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonIdleNoWork })
}
