package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// offer is one worker asked whether it should load one model.
type offer struct {
	l      *look
	d      *demand
	w      *worker
	have   *Have
	size   candor.Bytes // what the model takes there; 0: not known
	evict  []string     // what would have to go
	needed []string     // of it, what others wait for or use
	room   bool         // it fits then
}

func (l *look) offer(d *demand, w *worker) *offer {
	o := &offer{l: l, d: d, w: w, have: l.have(w)}
	o.size = o.have.size(d.model)
	o.makeRoom()
	return o
}

// makeRoom finds what would have to be unloaded for the model: what nobody
// wants before what somebody does, what was used last at the end.
func (o *offer) makeRoom() {
	free, most := o.have.Free, o.w.mostModels()
	if most == 0 {
		most = len(o.have.Models) + 1
	}
	// Loaded with a shorter context: it takes its own place.
	left := slices.DeleteFunc(slices.Clone(o.have.Models), func(m candor.ServedModel) bool {
		same := candor.ModelName(m.Name) == o.d.model
		if same {
			free += m.VRAM
		}
		return same
	})
	fits := func() bool {
		return len(left) < most && (o.have.VRAM == 0 || o.size == 0 || o.size <= free)
	}
	slices.SortStableFunc(left, func(a, b candor.ServedModel) int {
		if x, y := o.uses(a.Name), o.uses(b.Name); x != y {
			return x - y
		}
		return int(b.Token/candor.Duration(time.Second)) - int(a.Token/candor.Duration(time.Second))
	})
	for !fits() && len(left) > 0 {
		name := candor.ModelName(left[0].Name)
		o.evict = append(o.evict, name)
		if o.uses(name) > 0 {
			o.needed = append(o.needed, name)
		}
		free += left[0].VRAM
		left = left[1:]
	}
	o.room = fits()
}

// uses is how many tasks want a model that the worker holds, or use it there.
func (o *offer) uses(name string) int {
	if d := o.l.demand(candor.ModelName(name)); d != nil {
		return d.queued
	}
	return 0
}

// starves: nobody has served the demand for longer than may be.
func (o *offer) starves() bool {
	if o.d.hands() > 0 || o.d.oldest == 0 {
		return false
	}
	since := fromMicro(o.d.oldest)
	if at := o.l.s.served[o.d.model]; at.After(since) {
		since = at
	}
	return o.l.s.now.Sub(since) > o.l.s.cfg.Placement.MaxWait
}

// rule is one question of placement, like check is one of eligibility.
type rule struct {
	code    candor.ReasonCode
	verdict candor.Verdict
	ok      func(o *offer) bool
	say     func(o *offer) (wanted, actual string)
}

// ask tells whether the worker should load the model, and if not, the first rule
// that is against it. With a recorder, every rule is asked.
func (o *offer) ask(rec *Recorder) (candor.ReasonCode, candor.Verdict) {
	var code candor.ReasonCode
	verdict := candor.VerdictYes
	if c, v := o.able(rec); c != "" {
		if code, verdict = c, v; rec == nil {
			return code, verdict
		}
	}
	for i := range rules {
		r := &rules[i]
		ok := r.ok(o)
		if rec != nil {
			wanted, actual := r.say(o)
			out := candor.Check{Code: r.code, OK: ok, Verdict: candor.VerdictYes, Wanted: wanted, Actual: actual}
			if !ok {
				out.Verdict = r.verdict
			}
			rec.Checks = append(rec.Checks, out)
		}
		if ok || code != "" {
			continue
		}
		if code, verdict = r.code, r.verdict; rec == nil {
			return code, verdict
		}
	}
	return code, verdict
}

// able asks whether the worker could take the order at all, by the predicate of
// its claim, and whether it may serve the tasks behind it. What it runs now is
// left out: the order waits for that.
func (o *offer) able(rec *Recorder) (candor.ReasonCode, candor.Verdict) {
	have := *o.have
	have.Running.Orders, have.of = 0, nil
	load := Want{Class: candor.ClassResource, Order: &candor.Order{Kind: candor.OrderLoad, Model: o.d.model, Context: o.d.context, Evict: o.evict, By: byRule}}
	if code, verdict := Eligible(&load, &have, rec); code != "" {
		return code, verdict
	}
	if o.have.Serving == nil {
		if rec != nil {
			rec.Checks = append(rec.Checks, candor.Check{Code: candor.ReasonServerGone, Verdict: candor.VerdictNever, Wanted: "a model server", Actual: "none is known"})
		}
		return candor.ReasonServerGone, candor.VerdictNever
	}
	return o.suits(rec)
}

// suits asks whether tasks of the demand could go to the worker once the model
// is there: labels, class and the like.
func (o *offer) suits(rec *Recorder) (candor.ReasonCode, candor.Verdict) {
	if slices.ContainsFunc(o.d.shapes, func(sh *shape) bool { return o.have.mayTake(&sh.want) }) {
		return "", candor.VerdictYes
	}
	sub := &Recorder{}
	Eligible(o.d.want, o.have, sub)
	for _, c := range sub.Checks {
		if c.OK || c.Verdict != candor.VerdictNever {
			continue
		}
		if rec != nil {
			rec.Checks = append(rec.Checks, c)
		}
		return c.Code, c.Verdict
	}
	return "", candor.VerdictYes
}

var rules = []rule{
	{
		code: candor.ReasonPlaceOff, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return !o.l.s.cfg.Placement.Off },
		say: func(o *offer) (string, string) {
			return "loads ordered by rules", yesNo(o.l.s.cfg.Placement.Off, "placement.off is set: people order them", "placement.off is not set")
		},
	},
	{
		code: candor.ReasonPlaceOrdered, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return o.underWay() == nil },
		say: func(o *offer) (string, string) {
			if t := o.underWay(); t != nil {
				return "no order under way for it", fmt.Sprintf("%s %s (%s) is %s", t.step.spec.Order.Kind, t.step.spec.Order.Model, t.id, stateNames[t.state])
			}
			return "no order under way for it", "none"
		},
	},
	{
		code: candor.ReasonPlaceMaxHot, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool {
			limit := o.l.s.cfg.Placement.MaxHot
			return limit <= 0 || len(o.d.owners)+o.d.open < limit || slices.Contains(o.d.owners, o.w)
		},
		say: func(o *offer) (string, string) {
			limit := o.l.s.cfg.Placement.MaxHot
			if limit <= 0 {
				return "fewer workers than placement.max_hot", "no limit is set"
			}
			return fmt.Sprintf("fewer than max_hot=%d with %s", limit, o.d.model), "reached by " + o.who(o.d.owners)
		},
	},
	{
		code: candor.ReasonPlaceEnough, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return o.helps() },
		say: func(o *offer) (string, string) {
			if o.d.hands() == 0 {
				return "work that needs it", fmt.Sprintf("%s queued, nobody has it", count(o.d.queued, "task"))
			}
			return fmt.Sprintf("work for longer than a load takes (%s)", about(o.d.load)),
				fmt.Sprintf("%s done by %s in %s", count(o.d.queued, "queued task"), o.who(o.d.holders), about(o.d.lasts()))
		},
	},
	{
		code: candor.ReasonPlaceNeeded, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return len(o.needed) == 0 || o.starves() },
		say: func(o *offer) (string, string) {
			limit := about(o.l.s.cfg.Placement.MaxWait)
			if len(o.needed) == 0 {
				return "a model there that nobody waits for", "nothing that is needed would have to go"
			}
			return "a model there that nobody waits for, or a wait of " + limit,
				fmt.Sprintf("%s, for which %s there", strings.Join(o.needed, ", "), plural(o.uses(o.needed[0]), "task waits", "tasks wait"))
		},
	},
	{
		code: candor.ReasonPlaceHold, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return o.held() == "" },
		say: func(o *offer) (string, string) {
			hold := "models in use for at least " + about(o.l.s.cfg.Placement.Hold)
			if name := o.held(); name != "" {
				return hold, fmt.Sprintf("%s was loaded %s ago", name, candor.ShortDuration(o.l.s.now.Sub(o.w.since[name])))
			}
			return hold, "none that would have to go"
		},
	},
	{
		code: candor.ReasonVRAMHeld, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return o.room },
		say: func(o *offer) (string, string) {
			if o.have.VRAM == 0 {
				return "room for it", "no card, and room for another model"
			}
			return fmt.Sprintf("%s free for it", o.size), fmt.Sprintf("%s free of %s%s", o.have.Free, o.have.VRAM, o.have.holders())
		},
	},
	{
		code: candor.ReasonPlaceBackoff, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool {
			f := o.w.fails[o.d.model]
			return f == nil || !o.l.s.now.Before(f.until)
		},
		say: func(o *offer) (string, string) {
			f := o.w.fails[o.d.model]
			if f == nil {
				return "no load of it that failed lately", "none"
			}
			text := fmt.Sprintf("%s failed, next try %s", count(f.times, "load"), candor.FormatTime(f.until))
			if f.last != nil {
				text += ": " + f.last.Text
			}
			return "no load of it that failed lately", text
		},
	},
	{
		code: candor.ReasonPlaceHostBusy, verdict: candor.VerdictNotNow,
		ok: func(o *offer) bool { return len(o.l.hosts[o.w.info.Host]) < o.l.s.cfg.Placement.LoadsPerHost },
		say: func(o *offer) (string, string) {
			actual := sayLoads(o.l.s, o.l.hosts[o.w.info.Host])
			if hung := o.l.hung[o.w.info.Host]; len(hung) > 0 {
				actual += "; not counted: " + sayLoads(o.l.s, hung)
			}
			return fmt.Sprintf("fewer than %s at once on host %s", count(o.l.s.cfg.Placement.LoadsPerHost, "load"), o.w.info.Host), actual
		},
	},
}

// underWay is an order that the worker carries out, is to carry out, or is the
// first who could.
func (o *offer) underWay() *task {
	return o.l.underWay(o.w)
}

func (l *look) underWay(w *worker) *task {
	if own := l.s.ordersOf(w); len(own) > 0 {
		return own[0]
	}
	return l.spoken[w]
}

// helps tells whether one more pair of hands ends the work sooner than a load
// takes, of all that is wanted or of the part for which it is not there yet. A
// margin keeps guesses from deciding what is even.
func (o *offer) helps() bool {
	for _, c := range o.d.crews {
		if !slices.Contains(c.there, o.w) && o.d.lacks(time.Duration(c.queued)*o.d.run, c.hands()) {
			return true
		}
	}
	return !slices.Contains(o.d.holders, o.w) && o.d.lacksHands() || o.alone()
}

// alone tells whether tasks of the demand may go to this worker, and to none of
// those that are there for it: they name this one, or failed on the others.
func (o *offer) alone() bool {
	return slices.ContainsFunc(o.d.crews, func(c *crew) bool {
		return c.open == 0 && slices.ContainsFunc(o.l.orphans(c), func(sh *shape) bool { return o.have.mayTake(&sh.want) })
	})
}

// held is a model that is needed, would have to go, and was loaded a moment ago.
func (o *offer) held() string {
	for _, name := range o.needed {
		if at, ok := o.w.since[name]; ok && o.l.s.now.Sub(at) < o.l.s.cfg.Placement.Hold {
			return name
		}
	}
	return ""
}

// who names those of a demand's workers, and those that are about to be.
func (o *offer) who(list []*worker) string {
	var names []string
	for _, w := range list {
		names = append(names, w.info.Name)
	}
	if o.d.open > 0 {
		names = append(names, "whoever takes "+count(o.d.open, "order"))
	}
	return strings.Join(names, ", ")
}

// about is a duration as estimates are said.
func about(d time.Duration) string {
	if d >= 10*time.Second {
		d = d.Round(time.Second)
	}
	return candor.ShortDuration(d)
}
