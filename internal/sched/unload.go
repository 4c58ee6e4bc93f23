package sched

import (
	"fmt"
	"slices"

	"candor"
)

// makeRoom orders models away that nobody wants: those whose memory a script
// waits for, and those that have been idle for longer than they may.
func (l *look) makeRoom() {
	for _, w := range l.s.roster {
		if !w.present() || w.view.Serving == nil || w.view.Serving.Work != nil || l.underWay(w) != nil {
			continue
		}
		if name, why := l.unwanted(w, l.have(w)); name != "" {
			l.unload(w, name, why)
		}
	}
}

// unwanted is a model on a worker that should go, and what for.
func (l *look) unwanted(w *worker, have *Have) (name, why string) {
	idle, all := candor.ServedModel{}, candor.Bytes(0)
	for _, m := range have.Models {
		if m.InUse != 0 || l.demand(candor.ModelName(m.Name)) != nil || usedBy(w, m.Name) {
			continue
		}
		all += m.VRAM
		if idle.Name == "" || m.Token > idle.Token {
			idle = m
		}
	}
	if idle.Name == "" {
		return "", ""
	}
	if limit := l.s.cfg.Placement.IdleUnload; limit > 0 && idle.Token.D() >= limit {
		return idle.Name, "nobody has asked for it for " + candor.ShortDuration(idle.Token.D())
	}
	for _, sh := range l.s.shapeList {
		v := sh.want.VRAM
		if sh.ready == 0 || v == 0 || sh.want.Class == candor.ClassLLM || v <= have.Free || v > have.Free+all { // one after the other, if it takes several
			continue
		}
		code, _ := Eligible(&sh.want, have, nil)
		if code == candor.ReasonVRAMHeld {
			return idle.Name, fmt.Sprintf("%s for %s of the card, of which it holds %s", plural(sh.ready, string(sh.want.Class)+" task waits", string(sh.want.Class)+" tasks wait"), v, idle.VRAM)
		}
	}
	return "", ""
}

// usedBy tells whether an attempt on a worker uses a model.
func usedBy(w *worker, model string) bool {
	return slices.ContainsFunc(w.running, func(t *task) bool { return t.step.spec.Class == candor.ClassLLM && t.uses(model) })
}

func (l *look) unload(w *worker, name, why string) {
	name = candor.ModelName(name)
	t := l.s.makeOrder(&wish{
		Order:  candor.Order{Kind: candor.OrderUnload, Model: name, Need: why, By: byRule},
		worker: w.info.Name, expiry: l.s.cfg.Placement.Expiry,
	})
	l.see(w)
	l.s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventOrderMade, Batch: t.batch().rec.ID, Task: t.id, Model: name, Class: candor.ClassResource,
		Text: fmt.Sprintf("Model %s is idle on %s: %s - inserting unload_llm task for %s", name, w.info.Name, why, w.info.Name),
	})
}
