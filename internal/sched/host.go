package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// hostSeen takes in what a supervisor sees of its workers' processes. It is
// how a death, or a freeze, is known at once instead of guessed from silence.
func (s *State) hostSeen(rep candor.HostReport) (candor.HostReply, error) {
	s.hosts.note(rep.Supervisor, s.now)
	for i := range rep.Workers {
		hw := &rep.Workers[i]
		w := s.workers[hw.Name]
		if w == nil || w.info.Supervisor != rep.Supervisor {
			continue
		}
		if hw.PID != 0 && w.info.PID != hw.PID {
			s.endedBefore(w, hw)
			continue
		}
		switch hw.State {
		case hostExited:
			s.workerExited(w, hw)
		case "stopped":
			s.workerFrozen(w)
		default:
			s.thawed(w)
		}
	}
	for i := range rep.Fenced {
		s.fenceDone(&rep.Fenced[i])
	}
	return s.hostOrders(rep.Supervisor), nil
}

// hostOrders lists the leases whose processes a supervisor is to end.
func (s *State) hostOrders(supervisor string) candor.HostReply {
	var reply candor.HostReply
	for _, w := range s.roster {
		if w.info.Supervisor != supervisor || supervisor == "" {
			continue
		}
		for _, t := range w.running {
			if t.run.fencing {
				reply.Fence = append(reply.Fence, candor.FenceOrder{Worker: w.info.Name, Lease: t.run.lease, Task: t.id})
			}
		}
	}
	return reply
}

// workerExited takes back the tasks of a worker whose process is known to have
// ended. Until its attempts' processes are known dead too, they stay.
func (s *State) workerExited(w *worker, hw *candor.HostWorker) {
	if w.state != candor.WorkerGone {
		s.died()
		s.event(&candor.Event{
			Level: candor.LevelWarn, Code: candor.EventWorkerExited, Worker: w.info.Name,
			Text: fmt.Sprintf("Worker %s exited (pid %d): %s; last heartbeat %s ago; %s in its hands",
				w.info.Name, w.info.PID, hw.Exit, candor.ShortDuration(s.now.Sub(w.seen)), count(len(w.running), "task")),
		})
		s.gone(w, "ended ("+hw.Exit+")")
	}
	s.sawEnd(w, hw)
	if !hw.Clean && len(hw.Leftover) == 0 {
		return
	}
	why := fmt.Sprintf("%s exited: %s", w.info.Name, hw.Exit)
	for _, t := range slices.Clone(w.running) {
		if len(hw.Leftover) > 0 {
			s.runsTwice(t, w, strings.Join(hw.Leftover, ", "))
		}
		s.lose(t, candor.NewReason(candor.ReasonWorkerDied, why), true)
	}
}

// hostExited is what a supervisor says of a process that has ended.
const hostExited = "exited"

// untoldKept is how many former processes of a worker wait to be told of.
const untoldKept = 16

// endedBefore tells how a former process of a worker ended, if another had joined
// in its place before its supervisor could say so. What it ran was taken back then.
func (s *State) endedBefore(w *worker, hw *candor.HostWorker) {
	i := slices.Index(w.untold, hw.PID)
	if i < 0 || hw.State != hostExited {
		return
	}
	w.untold = slices.Delete(w.untold, i, i+1)
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventWorkerExited, Worker: w.info.Name,
		Text: fmt.Sprintf("Worker %s exited (pid %d): %s; pid %d had joined in its place before that was known", w.info.Name, hw.PID, hw.Exit, w.info.PID),
	})
}

// fenceDone ends an attempt whose processes a supervisor has ended.
func (s *State) fenceDone(f *candor.FenceReport) {
	t := s.leases[f.Lease]
	if t == nil || !t.run.fencing {
		return
	}
	w := s.workers[t.run.worker]
	if !f.Dead {
		s.runsTwice(t, w, leftover(f.Leftover))
	}
	s.lose(t, candor.NewReason(candor.ReasonLeaseExpired, fmt.Sprintf("%s was silent for %s; its processes are ended",
		w.info.Name, candor.ShortDuration(s.now.Sub(w.seen)))), false)
}

// leftover names processes that could not be ended, if their names are known.
func leftover(names []string) string {
	if len(names) == 0 {
		return "its process"
	}
	return strings.Join(names, ", ")
}

// supervised tells whether somebody who can end a worker's processes has
// spoken lately.
func (s *State) supervised(w *worker) bool {
	seen, ok := s.hosts.seen[w.info.Supervisor]
	return w.info.Supervisor != "" && ok && s.now.Sub(seen) < s.cfg.Lost
}

// hosts remembers when each supervisor last spoke.
type hosts struct {
	seen   map[string]time.Time
	orders int64 // grows with each order, so that a held answer is let go
}

func (h *hosts) note(supervisor string, now time.Time) {
	if h.seen == nil {
		h.seen = map[string]time.Time{}
	}
	h.seen[supervisor] = now
}
