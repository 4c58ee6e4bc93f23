package wire

import "candor"

func (e *encoder) result(r *candor.Result) {
	e.raw(`{"task":"`)
	e.task(r.Task)
	e.raw(`","lease":`)
	e.int(r.Lease)
	e.raw(`,"outcome":`)
	e.string(string(r.Outcome))
	if !r.Started.IsZero() {
		e.time(`,"started":`, r.Started)
	}
	e.duration(`,"took":`, r.Took)
	if r.Exit != nil {
		e.raw(`,"exit":`)
		e.exit(r.Exit)
	}
	if r.Reason != nil {
		e.any(`,"reason":`, r.Reason)
	}
	e.text(`,"tail":`, r.Tail)
	e.text(`,"dir":`, r.Dir)
	if len(r.Manifests) > 0 {
		e.any(`,"manifests":`, r.Manifests)
	}
	if len(r.Outputs) > 0 {
		e.any(`,"outputs":`, r.Outputs)
	}
	if r.Order != nil {
		e.any(`,"order":`, r.Order)
	}
	if r.Rows != nil {
		e.any(`,"rows":`, r.Rows)
	}
	e.raw(`}`)
}

func (s *scanner) result(r *candor.Result) {
	s.want(`{"task":`)
	s.task(&r.Task)
	s.want(`,"lease":`)
	r.Lease = s.int()
	s.want(`,"outcome":`)
	r.Outcome = outcome(s.bytes())
	if s.take(`,"started":`) {
		s.time(&r.Started)
	}
	if s.take(`,"took":`) {
		s.duration(&r.Took)
	}
	if s.take(`,"exit":`) {
		r.Exit = new(candor.Exit)
		s.exit(r.Exit)
	}
	if s.take(`,"reason":`) {
		s.any(&r.Reason)
	}
	if s.take(`,"tail":`) {
		s.any(&r.Tail)
	}
	if s.take(`,"dir":`) {
		s.any(&r.Dir)
	}
	if s.take(`,"manifests":`) {
		s.any(&r.Manifests)
	}
	if s.take(`,"outputs":`) {
		s.any(&r.Outputs)
	}
	if s.take(`,"order":`) {
		s.any(&r.Order)
	}
	if s.take(`,"rows":`) {
		s.any(&r.Rows)
	}
	s.want(`}`)
}

// outcome saves the known outcomes from being allocated each time.
func outcome(b []byte) candor.AttemptOutcome {
	switch candor.AttemptOutcome(b) {
	case candor.AttemptDone:
		return candor.AttemptDone
	case candor.AttemptFailed:
		return candor.AttemptFailed
	default:
		return candor.AttemptOutcome(b)
	}
}

func (e *encoder) exit(x *candor.Exit) {
	e.raw(`{"code":`)
	e.int(int64(x.Code))
	e.text(`,"signal":`, x.Signal)
	e.text(`,"oom":`, x.OOM)
	e.duration(`,"cpu":`, x.CPU)
	e.number(`,"max_rss":`, int64(x.MaxRSS))
	e.number(`,"written":`, x.Written)
	if x.Cut {
		e.raw(`,"cut":true`)
	}
	if len(x.Survived) > 0 {
		e.any(`,"survived":`, x.Survived)
	}
	e.raw(`}`)
}

func (s *scanner) exit(x *candor.Exit) {
	s.want(`{"code":`)
	x.Code = int(s.int())
	if s.take(`,"signal":`) {
		s.any(&x.Signal)
	}
	if s.take(`,"oom":`) {
		s.any(&x.OOM)
	}
	if s.take(`,"cpu":`) {
		s.duration(&x.CPU)
	}
	if s.take(`,"max_rss":`) {
		x.MaxRSS = candor.Bytes(s.int())
	}
	if s.take(`,"written":`) {
		x.Written = s.int()
	}
	x.Cut = s.take(`,"cut":true`)
	if s.take(`,"survived":`) {
		s.any(&x.Survived)
	}
	s.want(`}`)
}

func (e *encoder) assignment(a *candor.Assignment) {
	e.raw(`{"task":"`)
	e.task(a.Task)
	e.raw(`","spec":`)
	e.int(int64(a.Spec))
	e.raw(`,"index":`)
	e.int(int64(a.Index))
	if len(a.Item) > 0 {
		e.json(`,"item":`, a.Item)
	}
	e.raw(`,"attempt":`)
	e.int(int64(a.Attempt))
	e.raw(`,"lease":`)
	e.int(a.Lease)
	e.raw(`}`)
}

func (s *scanner) assignment(a *candor.Assignment) {
	s.want(`{"task":`)
	s.task(&a.Task)
	s.want(`,"spec":`)
	a.Spec = int(s.int())
	s.want(`,"index":`)
	a.Index = int(s.int())
	if s.take(`,"item":`) {
		s.json(&a.Item)
	}
	s.want(`,"attempt":`)
	a.Attempt = int(s.int())
	s.want(`,"lease":`)
	a.Lease = s.int()
	s.want(`}`)
}
