package sched

import "candor"

// modelViews is every model that is wanted, held or could be loaded.
func (s *State) modelViews() []candor.ModelView {
	l := s.look()
	by := map[string]*candor.ModelView{}
	view := func(name string) *candor.ModelView {
		name = candor.ModelName(name)
		if by[name] == nil {
			by[name] = &candor.ModelView{Name: name, Workers: []candor.ModelWorker{}, Revision: s.revision, At: s.now}
			if m := s.models[name]; m != nil {
				by[name].Load, by[name].Run, by[name].VRAM = candor.Duration(m.Load), candor.Duration(m.Run), m.VRAM
			}
		}
		return by[name]
	}
	for _, d := range l.demands {
		v := view(d.model)
		v.Queued, v.Running = d.queued, d.running
	}
	for _, w := range s.roster {
		if w.state == candor.WorkerGone || w.view.Serving == nil {
			continue
		}
		for _, m := range w.view.Serving.Models {
			view(m.Name)
		}
		if w.catalog != nil {
			for _, m := range w.catalog.Models {
				v := view(m.Name)
				v.Size = max(v.Size, m.Size)
			}
		}
	}
	out := make([]candor.ModelView, 0, len(by))
	for _, name := range sortedKeys(by) {
		for _, w := range s.roster {
			if w.state != candor.WorkerGone && w.view.Serving != nil {
				by[name].Workers = append(by[name].Workers, l.modelWorker(name, w))
			}
		}
		by[name].Reason = l.modelReason(name)
		out = append(out, *by[name])
	}
	return out
}

// modelWorker is how one worker stands to one model.
func (l *look) modelWorker(name string, w *worker) candor.ModelWorker {
	have := l.have(w)
	v := candor.ModelWorker{Worker: w.info.Name, State: "available"}
	if !have.knows(name) {
		v.State = "missing"
	}
	if m := have.model(name); m != nil {
		v.State, v.VRAM, v.InUse, v.Rate = "listed", m.VRAM, m.InUse, m.Rate
		if m.Ready {
			v.State = "ready"
		}
	}
	if t := l.s.ordered(name, w); t != nil {
		v.State, v.Order = "ordered", t.id
	}
	if work := have.Serving.Work; work != nil && candor.ModelName(work.Model) == name {
		switch work.Kind {
		case candor.OrderLoad:
			v.State = "loading"
		case candor.OrderUnload:
			v.State = "unloading"
		}
	}
	if d := l.demand(name); d != nil && !d.servedBy(w) {
		rec := &Recorder{}
		l.offer(d, w).ask(rec)
		v.Checks = rec.Checks
	}
	return v
}
