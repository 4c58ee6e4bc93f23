package sched

import (
	"fmt"
	"slices"
	"testing"

	"candor"
)

func wants(names ...string) func(*candor.Step) {
	return func(st *candor.Step) { st.Requires.Tools = names }
}

// says is a heartbeat that tells which programs a worker has.
func (f *farm) says(name string, p *candor.Programs) candor.HeartbeatReply {
	f.t.Helper()
	return f.do(Heartbeat{name, candor.HeartbeatRequest{Session: f.at[name], Programs: p}}).(candor.HeartbeatReply)
}

// restarted is a farm of workers alone, with a brain that knows what was stored.
func (f *farm) restarted() {
	f.t.Helper()
	c := f.s.Take()
	f.s = New(Config{}, &Snapshot{Revision: c.Revision, Meta: c.Meta, Workers: c.Workers})
	f.do(Tick{})
}

// Any program of the PATH counts; one that is missing is named, and how many were
// looked at.
func TestATaskGoesWhereItsToolsAre(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", tools("awk", "bash", "sh"))
	f.join("w2", tools("bash"))
	b := f.submit(cpu("s", wants("sh", "bash"))).Batch
	if r := f.claim("w2"); len(r.Tasks) > 0 || r.Report.Refused[candor.ReasonTool] != 1 {
		t.Fatalf("%+v", r)
	}
	f.expect(f.why("w2"), candor.ReasonTool, "need tool sh, bash", "w2 has no sh among the 1 program on its PATH")
	f.take("w1")
	if reply := f.submit(cpu("s", wants("sh", "sox"))); len(reply.Warnings) != 1 {
		t.Fatalf("%+v", reply)
	} else {
		f.expect(reply.Warnings[0].Reason, candor.ReasonUnplaceable, "w1 lacks tool sox", "w2 lacks tool sh, sox")
	}
	f.expect(f.why(f.tasksOf(b)[0].id), candor.ReasonRunning)
}

// A worker may offer less than it has; then it is not said that the rest is not
// there.
func TestWhatAnOwnerDoesNotOfferIsSaidSo(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.says("w1", &candor.Programs{Names: []string{"ffmpeg"}, Chosen: true})
	b := f.submit(cpu("s", wants("ffmpeg", "sh"))).Batch
	f.expect(f.why(f.tasksOf(b)[0].id), candor.ReasonUnplaceable, "w1 lacks tool sh among those that worker.tools offers")
	f.claim("w1")
	f.expect(f.why("w1"), candor.ReasonTool, "no sh among the 1 program that its worker.tools offers")
}

// Where capitals make no difference, they make none to a plan.
func TestCapitalsOfAToolMayNotMatter(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.says("w1", &candor.Programs{Names: []string{"rscript", "rscript.exe"}, Fold: true})
	f.submit(cpu("s", wants("Rscript", "RSCRIPT.EXE")))
	f.take("w1")
}

// After a restart of the brain nobody can say that a tool is missing, nor that it
// is there: that is a reason of its own, no verdict for ever, and the brain asks.
func TestWhatIsNotLookedForYetIsNotMissing(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", tools("sh"))
	f.restarted()
	reply := f.submit(cpu("s", wants("sh")))
	if len(reply.Warnings) > 0 {
		t.Errorf("warned: %+v", reply.Warnings)
	}
	task := f.tasksOf(reply.Batch)[0].id
	if r := f.claim("w1"); len(r.Tasks) > 0 || r.Report.Refused[candor.ReasonToolUnknown] != 1 {
		t.Fatalf("%+v", r)
	}
	for _, target := range []any{task, "w1"} {
		r := f.why(target)
		f.expect(r, candor.ReasonToolUnknown, "w1", untold)
		if r.Mover != candor.MoverSystem {
			t.Errorf("%s: whose move: %s", r.Text, r.Mover)
		}
	}
	p := f.do(PreviewPlan{candor.Submission{Name: "p", Steps: []candor.Step{cpu("s", wants("sox"))}}}).(candor.Preview).Steps[0]
	if p.Reason != nil || p.Workers[0].Verdict != candor.VerdictNotNow {
		t.Errorf("preview knows what nobody knows: %+v", p)
	}
	if !f.beat("w1").Tell {
		t.Fatal("the brain does not ask")
	}
	if f.says("w1", onPath("sh")).Tell {
		t.Error("the brain asks again for what it has just heard")
	}
	if got := f.take("w1").Task; got != task {
		t.Errorf("took %s", got)
	}
}

// What is installed later is noticed, and what goes, too. A worker is stored anew
// only where that shows.
func TestAToolMayComeAndGo(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", tools("sh"))
	task := f.tasksOf(f.submit(cpu("s", wants("sox"), items(2))).Batch)[0].id
	f.claim("w1")
	f.expect(f.why(task), candor.ReasonUnplaceable, "w1 lacks tool sox")
	before := f.s.Ready()
	f.s.Take()
	f.says("w1", onPath("sh"))
	if c := f.s.Take(); f.s.Ready() != before || c != nil && len(c.Workers) > 0 {
		t.Errorf("the same again made something of it: %+v", c)
	}
	f.says("w1", onPath("sh", "sox"))
	if f.s.Ready() == before {
		t.Error("its held claim is not tried again")
	}
	if c := f.s.Take(); c == nil || len(c.Workers) != 1 || !slices.Equal(c.Workers[0].Info.Tools, []string{"sox"}) {
		t.Errorf("not stored: %+v", c)
	}
	f.take("w1")
	f.says("w1", onPath("sh"))
	f.claim("w1")
	f.expect(f.why(f.tasksOf(f.s.order[0].rec.ID)[1].id), candor.ReasonUnplaceable, "w1 lacks tool sox")
}

// Workers that are set up alike share one set in memory.
func TestEqualProgramsAreKeptOnce(t *testing.T) {
	f := newFarm(t, Config{})
	for i := range 3 {
		f.join(fmt.Sprintf("w%d", i), tools("sh", "sox"))
	}
	f.join("other", tools("sh"))
	w := f.s.workers
	if w["w1"].programs != w["w0"].programs || w["w2"].programs != w["w0"].programs || w["other"].programs == w["w0"].programs {
		t.Error("equal sets are kept apart, or others together")
	}
}

// What a worker tells is searched and shown: it has to be sorted, and plain text.
func TestProgramsAreChecked(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	for _, bad := range [][]string{{"b", "a"}, {"a\x1b[2J"}, {""}, make([]string, candor.MaxPrograms+1)} {
		_, err := f.try(Heartbeat{"w1", candor.HeartbeatRequest{Session: f.at["w1"], Programs: &candor.Programs{Names: bad}}})
		if candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%.20q: %v", bad, err)
		}
		req := candor.RegisterRequest{Protocol: candor.Protocol, Info: candor.WorkerInfo{Name: "w2", Slots: 1, Classes: candor.Classes()}, Programs: &candor.Programs{Names: bad}}
		if _, err := f.try(Register{req}); candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%.20q: registered: %v", bad, err)
		}
	}
}
