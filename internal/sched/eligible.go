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
	// Of class llm: models that may serve in Model's place where they are loaded,
	// and the least context, in tokens.
	Accept  []string
	Context int
	// Order is what a resource task does; nil: it is no order about a model.
	Order *candor.Order

	// Who asks, where rank matters: a task, else the first of a shape; neither: what
	// is not queued yet.
	task  *task
	shape *shape
}

// WantOf is what a step requires of a worker.
func WantOf(spec *candor.Step, avoid []string) Want {
	w := Want{
		Class: spec.Class, Model: candor.ModelName(spec.Model), VRAM: spec.VRAM, Context: spec.Context, Order: spec.Order,
		Labels: spec.Requires.Labels, Tools: spec.Requires.Tools, Worker: spec.Requires.Worker, Avoid: avoid,
	}
	for _, name := range spec.Accept {
		w.Accept = append(w.Accept, candor.ModelName(name))
	}
	return w
}

// String is the requirements in words: llm, model qwen2.5:7b, vram 6 GiB.
func (w *Want) String() string {
	parts := []string{string(w.Class)}
	if w.Order != nil {
		parts = append(parts, string(w.Order.Kind)+" "+w.Order.Model)
	}
	if w.Model != "" {
		parts = append(parts, "model "+w.Model)
	}
	if len(w.Accept) > 0 {
		parts = append(parts, "or "+strings.Join(w.Accept, ", "))
	}
	if w.Context > 0 {
		parts = append(parts, fmt.Sprintf("context %d", w.Context))
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
		say:     func(w *Want, h *Have) (string, string) { return theWorker(w.Worker), h.Info.Name },
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
		say:     func(w *Want, h *Have) (string, string) { return sayLabels(w.Labels, h.Info.Labels) },
	},
	toolCheck(),
	{
		code: candor.ReasonVRAMTotal, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return w.VRAM > 0 || w.Class == candor.ClassLLM || w.loads() },
		ok:      func(w *Want, h *Have) bool { return w.needs(h) <= h.VRAM || w.needs(h) == 0 },
		say: func(w *Want, h *Have) (string, string) {
			if w.needs(h) == 0 {
				return "a card that its model fits on", "its size is not known, or it needs no card"
			}
			return w.needs(h).String() + " of VRAM", h.VRAM.String() + " on the card"
		},
	},
	{
		code: candor.ReasonModelMissing, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM || w.loads() },
		ok: func(w *Want, h *Have) bool {
			if w.Order != nil {
				return h.knows(w.Order.Model)
			}
			return h.knows(w.Model) || slices.ContainsFunc(w.Accept, h.knows)
		},
		say: sayKnown,
	},
	serverlessCheck,
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
	muteCheck(candor.ReasonFrozen, "a process that is not stopped"),
	muteCheck(candor.ReasonCallsFail, "a worker whose calls are answered"),
	muteCheck(candor.ReasonNotAsking, "a worker that asks"),
	toolUnknownCheck(),
	{
		code: candor.ReasonAllPaused, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.AllPaused == nil },
		say: func(_ *Want, h *Have) (string, string) { return "nothing to be paused", sayPause(h.AllPaused) },
	},
	{
		code: candor.ReasonClassPaused, verdict: candor.VerdictNotNow,
		ok: func(w *Want, h *Have) bool { return h.ClassPaused[w.Class] == nil },
		say: func(w *Want, h *Have) (string, string) {
			return "class " + string(w.Class) + " not to be paused", sayPause(h.ClassPaused[w.Class])
		},
	},
	{
		code: candor.ReasonWorkerPaused, verdict: candor.VerdictNotNow,
		ok:  func(_ *Want, h *Have) bool { return h.Paused == nil },
		say: func(_ *Want, h *Have) (string, string) { return "a worker that is not paused", sayPause(h.Paused) },
	},
	{
		code: candor.ReasonQuarantined, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return h.Quarantined == nil || h.Probe },
		say: func(_ *Want, h *Have) (string, string) {
			if h.Quarantined == nil {
				return "a worker that is not quarantined", "not quarantined"
			}
			return "a worker that is not quarantined", "quarantined: " + h.Quarantined.Why + "; " + h.sayProbe()
		},
	},
	{
		code: candor.ReasonDraining, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return !h.Draining },
		say: func(_ *Want, h *Have) (string, string) {
			if !h.Draining {
				return "a worker that is not drained", "not drained"
			}
			return "a worker that is not drained", sayDrain(h.Drain)
		},
	},
	{
		code: candor.ReasonThermal, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return h.Hot == "" && h.State != candor.WorkerPaused },
		say: func(_ *Want, h *Have) (string, string) {
			if h.Hot == "" {
				return "a card that is cool enough", string(h.State)
			}
			return "a card that is cool enough", h.Hot
		},
	},
	{
		code: candor.ReasonElsewhere, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return len(w.Avoid) > 0 },
		ok:      func(w *Want, h *Have) bool { return !slices.Contains(w.Avoid, h.Info.Name) },
		say: func(w *Want, h *Have) (string, string) {
			return "another worker than " + strings.Join(w.Avoid, ", "), h.Info.Name
		},
	},
	serverCheck(candor.ReasonServerStarting, candor.ServerStarting),
	serverCheck(candor.ReasonServerGone, candor.ServerDown),
	serverCheck(candor.ReasonServerHung, candor.ServerDown),
	serverCheck(candor.ReasonServerOut, candor.ServerOut),
	serverCheck(candor.ReasonServerWrong, candor.ServerStranger),
	{
		code: candor.ReasonModelLoading, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM },
		ok:      func(w *Want, h *Have) bool { return h.serves(w) != nil && !h.inWork() || !h.loading(w) },
		say:     func(w *Want, h *Have) (string, string) { return w.Model + " ready", h.loaded() },
	},
	{
		code: candor.ReasonModelContext, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM && w.Context > 0 },
		ok: func(w *Want, h *Have) bool {
			m := h.model(w.Model)
			return m == nil || h.serves(w) != nil || m.Context >= w.Context || m.Context == 0
		},
		say: func(w *Want, h *Have) (string, string) {
			wanted := fmt.Sprintf("%s with a context of %d tokens", w.Model, w.Context)
			if m := h.model(w.Model); m != nil {
				return wanted, fmt.Sprintf("%s loaded with %d", m.Name, m.Context)
			}
			return wanted, h.loaded()
		},
	},
	{
		code: candor.ReasonModelCold, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM },
		ok:      func(w *Want, h *Have) bool { return h.serves(w) != nil },
		say:     func(w *Want, h *Have) (string, string) { return w.Model + " loaded", h.loaded() },
	},
	{
		code: candor.ReasonPlaceBusy, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool {
			return w.Order != nil && w.Order.Kind != candor.OrderPull
		},
		ok: func(w *Want, h *Have) bool { return h.stillUsed(w.Order) == nil },
		say: func(w *Want, h *Have) (string, string) {
			if t := h.stillUsed(w.Order); t != nil {
				return "nothing that uses what has to go", fmt.Sprintf("task %s (%s) uses %s", t.id, t.name(), t.step.spec.Model)
			}
			return "nothing that uses what has to go", "nothing does"
		},
	},
	{
		code: candor.ReasonPlaceHostBusy, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.loads() },
		ok:      func(_ *Want, h *Have) bool { return h.HostLimit <= 0 || len(h.HostLoads) < h.HostLimit },
		say: func(_ *Want, h *Have) (string, string) {
			return fmt.Sprintf("fewer than %s at once on host %s", count(h.HostLimit, "load"), h.Info.Host), sayLoads(h.in, h.HostLoads)
		},
	},
	{
		code: candor.ReasonOrderPointless, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Order != nil && w.Order.Kind != candor.OrderPull },
		ok:      func(w *Want, h *Have) bool { return !h.done(w.Order) },
		say: func(w *Want, h *Have) (string, string) {
			if w.Order.Kind == candor.OrderUnload {
				return w.Order.Model + " to unload", h.loaded()
			}
			return "a worker without " + w.Order.Model, h.loaded()
		},
	},
	{
		code: candor.ReasonVRAMHeld, verdict: candor.VerdictNotNow,
		// An llm task uses what its model holds already.
		applies: func(w *Want) bool { return w.VRAM > 0 && w.Class != candor.ClassLLM },
		ok:      func(w *Want, h *Have) bool { return w.VRAM <= h.Free+h.makesRoom(w.Order) },
		say: func(w *Want, h *Have) (string, string) {
			return w.VRAM.String() + " free", h.Free.String() + " free of " + h.VRAM.String() + h.holders()
		},
	},
	{
		code: candor.ReasonVRAMKept, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.VRAM > 0 && w.Class != candor.ClassLLM },
		ok:      func(w *Want, h *Have) bool { return h.Kept == nil || h.Kept.leaves(w, h) },
		say: func(_ *Want, h *Have) (string, string) {
			const wanted = "room that is not kept for others"
			if h.Kept == nil {
				return wanted, "no room kept"
			}
			return wanted, h.Kept.String()
		},
	},
	{
		code: candor.ReasonBusy, verdict: candor.VerdictNotNow,
		ok: func(w *Want, h *Have) bool {
			taken, most := h.roomNow(w.Class)
			return taken < most
		},
		say: func(w *Want, h *Have) (string, string) {
			taken, most := h.roomNow(w.Class)
			if w.Class == candor.ClassResource && h.Serving != nil {
				return "no other order under way", fmt.Sprintf("%d under way", taken)
			}
			return "a free slot", fmt.Sprintf("%d of %d slots taken", taken, most)
		},
	},
	{
		code: candor.ReasonShared, verdict: candor.VerdictNotNow,
		ok:  func(w *Want, h *Have) bool { return !h.share.over(h, w.Class) },
		say: func(w *Want, h *Have) (string, string) { return h.sayShare(w.Class) },
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

func sayLabels(want, have []string) (wanted, actual string) {
	actual = "has none"
	if len(have) > 0 {
		actual = "has " + strings.Join(have, ", ")
	}
	return "label " + strings.Join(want, ", "), actual
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
