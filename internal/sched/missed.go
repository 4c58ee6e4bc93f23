package sched

import (
	"fmt"
	"slices"

	"candor"
)

// missedBeats is how many heartbeats may omit a lease before its worker is asked
// about it. One may have been under way when the claim was answered; the second
// is certain; the third is for a slow reporter.
const missedBeats = 3

// missed sees to a lease that its worker does not name. The answer that handed
// it out may be lost; it may just as well be late, for it travels by a road of
// its own, and then the worker will start what it brings. No count of heartbeats
// tells the two apart. So the worker is asked to void the lease, again with
// every heartbeat until it has:
//
//	handed out ──▶ unnamed for missedBeats ──▶ asked ──▶ voided: queued again
//	    ▲                                        │
//	    └──────── named: the answer came ────────┘
//
// A lease that was voided is refused by the worker however late its answer
// comes. Nothing of this need survive a restart of the brain, which counts anew
// and asks again; a worker that starts anew has no answer to wait for.
func (s *State) missed(t *task, w *worker, void []int64) {
	if slices.Contains(void, t.run.lease) {
		s.lose(t, candor.NewReason(candor.ReasonWorkerDied, sayVoided(t, w)), false)
		return
	}
	if s.now.Sub(t.run.started) >= s.cfg.Heartbeat {
		t.run.missed++
	}
}

// unnamed lists the leases that a worker is to void.
func (w *worker) unnamed() []int64 {
	var out []int64
	for _, t := range w.running {
		if t.run.missed >= missedBeats {
			out = append(out, t.run.lease)
		}
	}
	return out
}

func sayVoided(t *task, w *worker) string {
	if t.run.named {
		return fmt.Sprintf("%s holds lease %d no more, and told no result of it", w.info.Name, t.run.lease)
	}
	return fmt.Sprintf("%s does not know of lease %d, and will not start it: the answer that handed it out was lost or late", w.info.Name, t.run.lease)
}
