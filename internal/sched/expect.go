package sched

import (
	"fmt"
	"strings"
	"time"

	"candor"
)

// tellOrder is the line about an order that a rule made.
func (l *look) tellOrder(o *offer, t *task, anybody bool) {
	text := fmt.Sprintf("LLM tasks waiting (%d) %s - inserting load_llm task", o.d.queued, l.need(o))
	if !anybody {
		text += " for " + o.w.info.Name
	}
	if len(o.evict) > 0 {
		text += ", in place of " + strings.Join(o.evict, ", ")
	}
	l.s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventOrderMade, Batch: t.batch().rec.ID, Task: t.id, Model: o.d.model,
		Class: candor.ClassResource, Text: text,
	})
	if e := l.s.expected[o.d.model]; e == nil || !e.ordered {
		l.s.expected[o.d.model] = &expectation{since: l.s.now, next: l.s.cfg.Placement.Expect, ordered: true}
	}
}

// need is what an order answers, in the words in which people looked for it in the
// logs of the incident (docs/architecture.md), where these are true.
func (l *look) need(o *offer) string {
	switch {
	case o.d.hands() == 0 && !l.loaded && len(l.spoken) == 0:
		return "but no models loaded"
	case o.d.hands() == 0 && len(o.d.owners) > 0:
		return fmt.Sprintf("for %s with a context of %d tokens, which no worker in service has", o.d.model, o.d.context)
	case o.d.hands() == 0:
		return fmt.Sprintf("for %s, which no worker in service has", o.d.model)
	case o.d.open > 0 && len(o.d.holders) == 0:
		return fmt.Sprintf("and %s is ordered for %s so far", o.d.model, count(o.d.open, "worker"))
	default:
		on := o.d.owners
		if len(on) == 0 {
			on = o.d.holders
		}
		return fmt.Sprintf("and %s is on %s only", o.d.model, o.who(on))
	}
}

// expectation is what should follow from a demand: the workers that could have
// the model get it.
type expectation struct {
	since   time.Time     // the first order, else the demand itself
	next    time.Duration // the alarm is due when it is that old; doubles
	ordered bool
}

// expect raises an alarm for each model that was ordered, or only wanted, a
// while ago while workers who could hold it still have none, with each one's
// reason. Who is not needed is as it should be.
func (l *look) expect() {
	s := l.s
	for _, model := range sortedKeys(s.expected) {
		if l.demand(model) == nil {
			delete(s.expected, model)
		}
	}
	for _, d := range l.demands {
		e := s.expected[d.model]
		if e == nil {
			e = &expectation{since: s.now, next: s.cfg.Placement.Expect}
			s.expected[d.model] = e
		}
		if s.now.Sub(e.since) < e.next {
			continue
		}
		e.next *= 2
		l.overdue(d, e)
	}
}

func (l *look) overdue(d *demand, e *expectation) {
	s := l.s
	var names []string
	var why saying
	for _, w := range s.roster {
		o := l.offer(d, w)
		if _, verdict := o.able(nil); verdict == candor.VerdictNever || !w.present() || w.view.Model != "" || len(o.have.Models) > 0 {
			continue
		}
		if r := l.whyNot(d, w); r != nil && r.Code != candor.ReasonPlaceEnough {
			names = append(names, w.info.Name)
			why.add(w.info.Name, r.Text)
		}
	}
	if len(names) == 0 {
		return
	}
	age := seconds(s.now.Sub(e.since))
	text := fmt.Sprintf("load_llm task available for %s but workers [%s] still have no model", age, strings.Join(names, " "))
	if !e.ordered {
		text = fmt.Sprintf("%d of %s without a model for %s with %s queued", len(names), count(s.present(), "worker"), age, count(d.queued, "llm task"))
	}
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventOrderOverdue, Model: d.model, Reason: candor.ReasonOrderOverdue,
		Text: text + ": " + why.String(),
	})
}

// present counts the workers that are there.
func (s *State) present() int {
	n := 0
	for _, w := range s.roster {
		if w.present() {
			n++
		}
	}
	return n
}

// seconds writes an age as such lines have it: 62s.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// whyNot is why no load is ordered for a worker, by the rules that decide it;
// nil when that is not for a rule to say. Where models take turns again and
// again, that is the reason of all they do.
func (l *look) whyNot(d *demand, w *worker) *candor.Reason {
	r := l.rule(d, w)
	if r == nil {
		return nil
	}
	if thrash := l.s.thrashes(w, d.model, r.Text); thrash != nil {
		return thrash
	}
	return r
}

func (l *look) rule(d *demand, w *worker) *candor.Reason {
	if d.servedBy(w) {
		if t := l.s.ordered(d.model, w); t != nil {
			return l.sayOrdered(t, w)
		}
		return nil
	}
	if w.view.Serving == nil {
		return nil // what it has, somebody else put there
	}
	if r := l.leaving(d.model, w); r != nil {
		return r
	}
	o, rec := l.offer(d, w), &Recorder{}
	code, _ := o.ask(rec)
	if code == "" {
		return candor.NewReason(candor.ReasonPlaceOrdered, "a load of "+d.model+" is about to be ordered")
	}
	if t := o.underWay(); t != nil && code == candor.ReasonPlaceOrdered {
		return l.sayOrdered(t, w)
	}
	for _, c := range rec.Checks {
		if c.OK || c.Code != code {
			continue
		}
		r := candor.NewReason(code, fmt.Sprintf("no load of %s was ordered: %s (wanted: %s)", d.model, c.Actual, c.Wanted)).
			With("model", d.model).With("wanted", c.Wanted).With("actual", c.Actual).With("worker", w.info.Name)
		switch code {
		case candor.ReasonPlaceOff:
			r.Do("candor model load " + d.model + " --worker " + w.info.Name)
		case candor.ReasonPlaceBackoff:
			if f := w.fails[d.model]; f != nil && f.last != nil {
				r.Mover = f.last.Mover // tried again it is, but that alone may mend nothing
				r.With("last", string(f.last.Code))
			}
		case candor.ReasonPlaceMaxHot:
			r.Text = fmt.Sprintf("no load of %s was ordered: max_hot=%d, %s", d.model, l.s.cfg.Placement.MaxHot, c.Actual)
			r.Do("raise placement.max_hot in the configuration, or candor model load " + d.model + " --worker " + w.info.Name)
		case candor.ReasonPlaceHostBusy:
			if loads := l.loadsFor(o); len(loads) > 0 {
				first := loads[0]
				r.With("order", first.t.id.String()).With("order_worker", first.w.info.Name).Do("candor why " + first.t.id.String())
			}
		case candor.ReasonModelMissing:
			r.Do("candor model pull " + d.model + " --worker " + w.info.Name)
		}
		return r
	}
	return candor.NewReason(candor.ReasonUnexplained, fmt.Sprintf("no load of %s was ordered for %s, and no rule says why (%s)", d.model, w.info.Name, code))
}

// leaving is the order by which a model has to go from a worker, or nil.
func (l *look) leaving(model string, w *worker) *candor.Reason {
	for _, t := range l.s.ordersOf(w) {
		if t.evicts(model) {
			r := l.sayOrdered(t, w)
			r.Text = model + " has to go: " + r.Text
			return r
		}
	}
	return nil
}

func (l *look) sayOrdered(t *task, w *worker) *candor.Reason {
	o := t.step.spec.Order
	age := candor.ShortDuration(l.s.now.Sub(t.batch().rec.CreatedAt))
	text := fmt.Sprintf("%s %s (%s) was ordered %s ago", o.Kind, o.Model, t.id, age)
	if r := t.reason(); t.state == queued && r != nil && r.Code == candor.ReasonBackoff {
		text += ": " + r.Text
	} else if t.state == processing {
		text += fmt.Sprintf(" and runs on %s for %s", t.run.worker, candor.ShortDuration(l.s.now.Sub(t.run.started)))
		if s := w.view.Serving; s != nil && s.Work != nil {
			text += ": it has been at it" + sayWork(l.s, s.Work)
		}
	} else {
		text += " and waits to be taken"
	}
	return candor.NewReason(candor.ReasonPlaceOrdered, text).With("task", t.id.String()).Do("candor why " + t.id.String())
}
