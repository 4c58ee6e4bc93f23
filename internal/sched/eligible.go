package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// Want is what a group of tasks requires, with the pauses that bear on it.
type Want struct {
	Class  candor.Class
	Model  string
	VRAM   candor.Bytes
	Labels []string
	Tools  []string
	Worker string
	Avoid  []string
}

// WantOf is what a step requires of a worker.
func WantOf(spec *candor.Step, avoid []string) Want {
	return Want{
		Class: spec.Class, Model: spec.Model, VRAM: spec.VRAM,
		Labels: spec.Requires.Labels, Tools: spec.Requires.Tools, Worker: spec.Requires.Worker, Avoid: avoid,
	}
}

// String is the requirements in words: llm, model qwen2.5:7b, vram 6 GiB.
func (w *Want) String() string {
	parts := []string{string(w.Class)}
	if w.Model != "" {
		parts = append(parts, "model "+w.Model)
	}
	if w.VRAM > 0 {
		parts = append(parts, "vram "+w.VRAM.String())
	}
	for _, l := range w.Labels {
		parts = append(parts, "label "+l)
	}
	for _, t := range w.Tools {
		parts = append(parts, "tool "+t)
	}
	if w.Worker != "" {
		parts = append(parts, "worker "+w.Worker)
	}
	if len(w.Avoid) > 0 {
		parts = append(parts, "not on "+strings.Join(w.Avoid, ", "))
	}
	return strings.Join(parts, ", ")
}

// Have is what is known of a worker when it is asked about.
type Have struct {
	Info     *candor.WorkerInfo
	State    candor.WorkerState
	Model    string // loaded and ready
	VRAM     candor.Bytes
	Free     candor.Bytes
	Holder   string // who holds the memory that is not free
	Running  int
	Silence  string // how long it has been silent, if lost
	Draining bool
	Paused   *candor.Pause
	// Quarantined: candor itself shut it out.
	Quarantined *candor.Pause
	// Pauses of everything and by class, in force for all workers.
	AllPaused   *candor.Pause
	ClassPaused map[candor.Class]*candor.Pause
}

// Recorder collects every check of a decision. A nil one makes the predicate
// stop at the first check that fails.
type Recorder struct{ Checks []candor.Check }

// check is one question of the predicate. ok answers it; say puts the answer
// in words, and is only asked when somebody listens.
type check struct {
	code    candor.ReasonCode
	verdict candor.Verdict
	applies func(w *Want) bool // nil: always
	ok      func(w *Want, h *Have) bool
	say     func(w *Want, h *Have) (wanted, actual string)
}

// Eligible tells whether a worker may take tasks that require w, and if not,
// the first check that failed. It is the only place where this is decided: the
// brain claims by it, why and preview explain by it. What can never be comes
// before what cannot be now.
func Eligible(w *Want, h *Have, rec *Recorder) (candor.ReasonCode, candor.Verdict) {
	var code candor.ReasonCode
	verdict := candor.VerdictYes
	for i := range checks {
		c := &checks[i]
		if c.applies != nil && !c.applies(w) {
			continue
		}
		ok := c.ok(w, h)
		if rec != nil {
			wanted, actual := c.say(w, h)
			out := candor.Check{Code: c.code, OK: ok, Verdict: candor.VerdictYes, Wanted: wanted, Actual: actual}
			if !ok {
				out.Verdict = c.verdict
			}
			rec.Checks = append(rec.Checks, out)
		}
		if ok || code != "" {
			continue
		}
		code, verdict = c.code, c.verdict
		if rec == nil {
			return code, verdict
		}
	}
	return code, verdict
}

var checks = []check{
	{
		code: candor.ReasonWrongWorker, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return w.Worker != "" },
		ok:      func(w *Want, h *Have) bool { return w.Worker == h.Info.Name },
		say:     func(w *Want, h *Have) (string, string) { return "worker " + w.Worker, h.Info.Name },
	},
	{
		code: candor.ReasonWrongClass, verdict: candor.VerdictNever,
		ok:  func(w *Want, h *Have) bool { return slices.Contains(h.Info.Classes, w.Class) },
		say: func(w *Want, h *Have) (string, string) { return "class " + string(w.Class), join(h.Info.Classes) },
	},
	{
		code: candor.ReasonLabel, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return len(w.Labels) > 0 },
		ok:      func(w *Want, h *Have) bool { return containsAll(h.Info.Labels, w.Labels) },
		say:     func(w *Want, h *Have) (string, string) { return sayMissing("label", w.Labels, h.Info.Labels) },
	},
	{
		code: candor.ReasonTool, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return len(w.Tools) > 0 },
		ok:      func(w *Want, h *Have) bool { return containsAll(h.Info.Tools, w.Tools) },
		say:     func(w *Want, h *Have) (string, string) { return sayMissing("tool", w.Tools, h.Info.Tools) },
	},
	{
		code: candor.ReasonVRAMTotal, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return w.VRAM > 0 },
		ok:      func(w *Want, h *Have) bool { return w.VRAM <= h.VRAM },
		say:     func(w *Want, h *Have) (string, string) { return w.VRAM.String(), h.VRAM.String() + " on the card" },
	},
	{
		code: candor.ReasonWorkerGone, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.State != candor.WorkerGone },
		say: func(_ *Want, h *Have) (string, string) { return "a worker that is there", string(h.State) },
	},
	{
		code: candor.ReasonWorkerLost, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.State != candor.WorkerLost },
		say: func(_ *Want, h *Have) (string, string) { return "a worker that answers", silence(h) },
	},
	{
		code: candor.ReasonAllPaused, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.AllPaused == nil },
		say: func(_ *Want, h *Have) (string, string) { return "not paused", sayPause(h.AllPaused) },
	},
	{
		code: candor.ReasonClassPaused, verdict: candor.VerdictNotNow,
		ok: func(w *Want, h *Have) bool { return h.ClassPaused[w.Class] == nil },
		say: func(w *Want, h *Have) (string, string) {
			return "class " + string(w.Class) + " not paused", sayPause(h.ClassPaused[w.Class])
		},
	},
	{
		code: candor.ReasonWorkerPaused, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.Paused == nil },
		say: func(_ *Want, h *Have) (string, string) { return "worker not paused", sayPause(h.Paused) },
	},
	{
		code: candor.ReasonQuarantined, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return h.Quarantined == nil },
		say: func(_ *Want, h *Have) (string, string) {
			if h.Quarantined == nil {
				return "not quarantined", "not quarantined"
			}
			return "not quarantined", "quarantined: " + h.Quarantined.Why
		},
	},
	{
		code: candor.ReasonDraining, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return !h.Draining },
		say: func(_ *Want, h *Have) (string, string) {
			return "not draining", yesNo(h.Draining, "draining", "not draining")
		},
	},
	{
		code: candor.ReasonThermal, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.State != candor.WorkerPaused },
		say: func(_ *Want, h *Have) (string, string) { return "a card that is cool enough", string(h.State) },
	},
	{
		code: candor.ReasonElsewhere, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return len(w.Avoid) > 0 },
		ok:      func(w *Want, h *Have) bool { return !slices.Contains(w.Avoid, h.Info.Name) },
		say: func(w *Want, h *Have) (string, string) {
			return "another worker than " + strings.Join(w.Avoid, ", "), h.Info.Name
		},
	},
	{
		code: candor.ReasonModelLoading, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM },
		ok: func(_ *Want, h *Have) bool {
			return h.State != candor.WorkerLoading && h.State != candor.WorkerUnloading
		},
		say: func(w *Want, h *Have) (string, string) { return w.Model + " ready", string(h.State) },
	},
	{
		code: candor.ReasonModelCold, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM },
		ok:      func(w *Want, h *Have) bool { return h.Model == w.Model },
		say: func(w *Want, h *Have) (string, string) {
			if h.Model == "" {
				return w.Model + " loaded", "no model loaded"
			}
			return w.Model + " loaded", h.Model + " loaded"
		},
	},
	{
		code: candor.ReasonVRAMHeld, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.VRAM > 0 },
		ok:      func(w *Want, h *Have) bool { return w.VRAM <= h.Free },
		say: func(w *Want, h *Have) (string, string) {
			return w.VRAM.String() + " free", h.Free.String() + " free of " + h.VRAM.String() + h.Holder
		},
	},
	{
		code: candor.ReasonBusy, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return h.Running < h.Info.Slots },
		say: func(_ *Want, h *Have) (string, string) {
			return "a free slot", fmt.Sprintf("%d of %d slots taken", h.Running, h.Info.Slots)
		},
	},
}

func containsAll(have, want []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

func sayMissing(kind string, want, have []string) (wanted, actual string) {
	actual = "has none"
	if len(have) > 0 {
		actual = "has " + strings.Join(have, ", ")
	}
	return kind + " " + strings.Join(want, ", "), actual
}

func sayPause(p *candor.Pause) string {
	if p == nil {
		return "not paused"
	}
	by := p.By
	if by == "" {
		by = "somebody"
	}
	text := "paused by " + by + " at " + candor.FormatTime(p.At)
	if p.Why != "" {
		text += " (" + p.Why + ")"
	}
	return text
}

func silence(h *Have) string {
	if h.Silence == "" {
		return string(h.State)
	}
	return h.Silence
}

func yesNo(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func join[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
	}
	return strings.Join(parts, ", ")
}
