package sched

import (
	"time"

	"candor"
)

// The account. Each second of a worker since it joined goes to exactly one code:
// work, loads, or the reason why it was idle. It is settled whenever something
// may have changed what its time goes to: what has passed goes to the code that
// was current, and the new one begins. So the sums add up to the wall-clock,
// whatever happens; a property test holds it.
//
// While the brain was away nobody could see. That time, and what had not been
// stored when the brain ended (at most accountStored), goes to brain.away.

// account is where a worker's time went.
type account struct {
	from time.Time
	at   time.Time // settled until then
	code candor.ReasonCode
	sums map[candor.ReasonCode]time.Duration
}

// accountStored is how often the accounts are stored although nothing else of
// their workers has changed.
const accountStored = time.Minute

// openAccount begins a worker's account.
func (w *worker) openAccount(now time.Time) {
	w.account = account{from: now, at: now, code: candor.ReasonIdleClaiming, sums: map[candor.ReasonCode]time.Duration{}}
}

// settle gives what has passed to the current code, and makes another current.
func (a *account) settle(now time.Time, code candor.ReasonCode) {
	if now.After(a.at) {
		a.sums[a.code] += now.Sub(a.at)
		a.at = now
	}
	a.code = code
}

// keepAccount settles a worker's account.
func (s *State) keepAccount(w *worker) {
	if code := s.accountCode(w); code != w.account.code {
		w.account.settle(s.now, code)
	}
}

func (s *State) keepAccounts() {
	for _, w := range s.roster {
		s.keepAccount(w)
	}
}

// accountCode is what a worker's time goes to now.
func (s *State) accountCode(w *worker) candor.ReasonCode {
	switch {
	case w.state == candor.WorkerGone:
		return candor.ReasonWorkerGone
	case w.state == candor.WorkerLost:
		return candor.ReasonWorkerLost
	case len(w.running) > 0:
		return w.workCode()
	}
	if r := s.holdsBack(w); r != nil {
		return r.Code
	}
	if w.reason == nil {
		return candor.ReasonIdleClaiming
	}
	return w.reason.Code
}

// workCode is what the time of a worker goes to that has something in hand:
// work if any of it moves, a load if that is all or all that the rest waits
// for, else what the first of them waits for.
func (w *worker) workCode() candor.ReasonCode {
	loads := false
	for _, t := range w.running {
		kind := t.run.progress.Kind
		if !t.isOrder() && !waits(kind) {
			return candor.ReasonBusyTime
		}
		loads = loads || t.isOrder() || kind == "load" || kind == "unload"
	}
	if loads {
		return candor.ReasonLoadingTime
	}
	switch w.running[0].run.progress.Kind {
	case "heat":
		return candor.ReasonThermal
	case "result":
		switch {
		case w.failing != nil:
			return candor.ReasonCallsFail
		case w.silent:
			return candor.ReasonNotAsking
		}
		return candor.ReasonBusyTime
	}
	return candor.ReasonSlot
}

// view is the account until now. Time is measured by a clock that nobody sets,
// so it ends at its beginning plus its sums, which may be a little off now where
// the wall clock was corrected meanwhile.
func (a *account) view(now time.Time) *candor.Account {
	v := candor.Account{From: a.from, To: a.from, Sums: map[candor.ReasonCode]candor.Duration{}}
	for code, d := range a.sums {
		v.Sums[code] = candor.Duration(d)
	}
	if now.After(a.at) {
		v.Sums[a.code] += candor.Duration(now.Sub(a.at))
	}
	for _, d := range v.Sums {
		v.To = v.To.Add(d.D())
	}
	return &v
}

// until is up to when an account counts: of a worker that has left, no further
// than that.
func (s *State) until(w *worker) time.Time {
	if w.state == candor.WorkerGone {
		return w.account.at
	}
	return s.now
}

// restore takes a stored account on. What has passed since goes to the brain's
// absence once begin knows how long that was.
func (a *account) restore(v *candor.Account) {
	a.from, a.at, a.code = v.From, v.To, candor.ReasonBrainAway
	a.sums = make(map[candor.ReasonCode]time.Duration, len(v.Sums))
	for code, d := range v.Sums {
		a.sums[code] = d.D()
	}
}

// resumeAccount begins the account of a loaded worker anew at the brain's first
// instant. A clock that went back since it was stored moves the whole of it.
func (s *State) resumeAccount(w *worker) {
	a := &w.account
	switch {
	case a.from.IsZero(): // stored before accounts were kept
		w.openAccount(s.now)
		return
	case a.at.After(s.now):
		a.from, a.at = a.from.Add(s.now.Sub(a.at)), s.now
	}
	if w.state == candor.WorkerGone {
		a.code = candor.ReasonWorkerGone // it ended when the worker left
		return
	}
	a.settle(s.now, s.accountCode(w))
}

// storeAccounts has all accounts stored now and then, so that little of them
// goes with a brain that is killed.
func (s *State) storeAccounts() {
	if s.accountsAt.IsZero() {
		s.accountsAt = s.now
	}
	if s.now.Sub(s.accountsAt) < accountStored {
		return
	}
	s.accountsAt = s.now
	for _, w := range s.roster {
		if w.state != candor.WorkerGone {
			s.touchWorker(w)
		}
	}
}
