package sched

import (
	"fmt"
	"strings"
	"time"

	"candor"
)

// recent counts completions of the last five minutes in buckets of a second.
type recent struct {
	buckets [300]int32
	head    int64 // unix second of the newest bucket
	sum     int
}

func (r *recent) add(now time.Time) {
	r.advance(now)
	r.buckets[r.head%300]++
	r.sum++
}

func (r *recent) advance(now time.Time) {
	sec := now.Unix()
	if sec-r.head >= 300 {
		*r = recent{head: sec}
		return
	}
	for r.head < sec {
		r.head++
		r.sum -= int(r.buckets[r.head%300])
		r.buckets[r.head%300] = 0
	}
}

func (r *recent) count(now time.Time) int {
	r.advance(now)
	return r.sum
}

// share is the part of the farm's recent completions that a worker did, 0 to 1.
func (s *State) share(w *worker) float64 {
	all := s.recent.count(s.now)
	if all == 0 {
		return 0
	}
	return float64(w.recent.count(s.now)) / float64(all)
}

// monitor remembers the last MONITOR line.
type monitor struct {
	at   time.Time
	text string
}

// monitorLine tells the state of the farm each interval, and keeps silent while
// nothing is going on and nothing has changed.
func (s *State) monitorLine() {
	if s.monitor.at.IsZero() {
		s.monitor.at = s.now // the first one after one interval
		return
	}
	if s.now.Sub(s.monitor.at) < s.cfg.Monitor {
		return
	}
	s.monitor.at = s.now
	st := s.status()
	text := sayStatus(&st)
	if text == s.monitor.text && st.Batches == 0 {
		return
	}
	s.monitor.text = text
	// What is stuck has a warning of its own (task.stuck), when it becomes so.
	s.event(&candor.Event{Level: candor.LevelInfo, Code: candor.EventMonitor, Text: text})
}

func sayStatus(st *candor.Status) string {
	total := 0
	var classes []string
	for _, c := range candor.Classes() {
		if n := st.Queue[c]; n > 0 {
			total += n
			classes = append(classes, fmt.Sprintf("%s:%d", c, n))
		}
	}
	queue := fmt.Sprint(total)
	if len(classes) > 0 {
		queue += " (" + strings.Join(classes, " ") + ")"
	}
	return fmt.Sprintf("MONITOR: GPUs: %d/%d, Workers: %d/%d, Queue: %s, Processing: %d, Stuck: %d, Completed in 5m: %d",
		st.GPUsBusy, st.GPUs, st.Alive, st.Workers, queue, st.Processing, st.Stuck, st.Recent)
}

// status is the farm at a glance.
func (s *State) status() candor.Status {
	st := candor.Status{
		At: s.now, Revision: s.revision, Queue: map[candor.Class]int{}, Tasks: map[candor.TaskState]int{},
		Processing: s.counts[processing], Recent: s.recent.count(s.now), Pauses: append([]candor.Pause(nil), s.pauses...),
	}
	for _, w := range s.roster {
		if w.state == candor.WorkerGone {
			continue
		}
		st.Workers++
		if w.state != candor.WorkerLost {
			st.Alive++
		}
		if w.info.GPU != nil {
			st.GPUs++
			if len(w.running) > 0 {
				st.GPUsBusy++
			}
		}
		for _, t := range w.running {
			if t.run.stuck {
				st.Stuck++
			}
		}
	}
	for _, sh := range s.shapeList {
		if n := sh.total(); n > 0 {
			st.Queue[sh.want.Class] += n
		}
	}
	for _, b := range s.order {
		if b.rec.State != candor.BatchActive {
			continue
		}
		st.Batches++
		for i, n := range b.counts {
			if n > 0 {
				st.Tasks[stateNames[i]] += n
			}
		}
	}
	return st
}
