package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"candor"
	"candor/internal/process"
	"candor/internal/record"
)

// Bounds of the back-off of reports that the brain does not take.
const (
	reportFirst = 200 * time.Millisecond
	reportMost  = 5 * time.Second
)

const (
	exited = "exited" // the state of a process that has ended, in reports
	// pastKept is how many ends of a worker are kept for a brain that is away.
	pastKept = 16
)

// reporter tells the brain what became of the workers' processes. Its fields
// belong to its goroutine.
type reporter struct {
	k      *keeper
	back   *backoff.ExponentialBackOff
	told   []candor.HostWorker  // what the brain knows
	fenced []candor.FenceReport // what it has not heard yet
	begun  map[int64]bool       // leases whose fencing has been logged
}

type hostAnswer struct {
	reply candor.HostReply
	err   error
}

// report runs until ctx ends. News are told at once: a report on its way, which
// the brain may hold for orders, is given up for a newer one.
func (k *keeper) report(ctx context.Context) {
	r := &reporter{k: k, back: backoff.NewExponentialBackOff(), begun: map[int64]bool{}}
	r.back.InitialInterval, r.back.MaxInterval, r.back.Multiplier = reportFirst, reportMost, 2
	for ctx.Err() == nil {
		begun := k.o.Clock.Now()
		workers := k.workers()
		answer, superseded := r.send(ctx, candor.HostReport{
			Supervisor: k.o.Name, Workers: workers, Fenced: r.fenced, Wait: candor.Duration(k.o.Report),
		})
		switch {
		case superseded:
		case answer.err != nil:
			if ctx.Err() != nil {
				return
			}
			level := slog.LevelWarn
			if k.stopping.Load() { // the brain stops, too
				level = slog.LevelDebug
			}
			k.say(level, lineHost, fmt.Sprintf("Report on the workers' processes failed: %v; trying again", answer.err),
				slog.Any(record.KeyError, answer.err), record.FoldOn("host", string(candor.CodeOf(answer.err))))
			r.pause(ctx, min(r.back.NextBackOff(), k.o.Report))
		default:
			r.back.Reset()
			r.told, r.fenced = k.heard(workers), nil
			for _, f := range answer.reply.Fence {
				r.fence(f)
			}
			if len(r.fenced) == 0 {
				r.pause(ctx, k.o.Report-k.o.Clock.Now().Sub(begun))
			}
		}
	}
}

// send reports once. superseded: there is something newer to tell.
func (r *reporter) send(ctx context.Context, report candor.HostReport) (answer hostAnswer, superseded bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan hostAnswer, 1)
	go func() {
		reply, err := r.k.o.Host.Host(ctx, report)
		answers <- hostAnswer{reply, err}
	}()
	for {
		select {
		case answer = <-answers:
			return answer, false
		case <-r.k.news:
		case <-r.k.o.Clock.After(r.k.o.Look):
		}
		if !reflect.DeepEqual(r.k.workers(), report.Workers) {
			cancel()
			// If it came through all the same, its orders are repeated.
			answer = <-answers
			return answer, answer.err != nil
		}
	}
}

// pause waits, but not if there is something to tell.
func (r *reporter) pause(ctx context.Context, d time.Duration) {
	over := r.k.o.Clock.After(d)
	for {
		select {
		case <-over:
			return
		case <-ctx.Done():
			return
		case <-r.k.news:
		case <-r.k.o.Clock.After(r.k.o.Look):
		}
		if r.told != nil && !reflect.DeepEqual(r.k.workers(), r.told) {
			return
		}
	}
}

// workers is what the workers' processes do now, each behind its predecessors
// of whose end the brain has not heard: it may be started again sooner than told.
func (k *keeper) workers() []candor.HostWorker {
	var all []candor.HostWorker
	for _, d := range k.kids {
		d.mu.Lock()
		seen, past := d.seen, slices.Clone(d.past)
		d.mu.Unlock()
		if !d.Worker || seen.PID == 0 {
			continue
		}
		all = append(all, past...)
		if seen.State == string(process.Running) && process.ProcState(seen.PID).State == process.Stopped {
			seen.State = string(process.Stopped)
		}
		all = append(all, seen)
	}
	return all
}

// heard takes note of what the brain was told, and returns what of it has not
// become past.
func (k *keeper) heard(told []candor.HostWorker) (now []candor.HostWorker) {
	now = told
	for _, d := range k.kids {
		d.mu.Lock()
		for _, p := range d.past {
			now = slices.DeleteFunc(slices.Clone(now), func(w candor.HostWorker) bool { return reflect.DeepEqual(w, p) })
		}
		d.past = slices.DeleteFunc(d.past, func(p candor.HostWorker) bool {
			return slices.ContainsFunc(told, func(w candor.HostWorker) bool { return reflect.DeepEqual(w, p) })
		})
		d.mu.Unlock()
	}
	return now
}

// fence ends one attempt of a worker that does not answer. Orders for workers
// that are not ours are for another supervisor of the same name.
func (r *reporter) fence(f candor.FenceOrder) {
	for _, d := range r.k.kids {
		if !d.Worker || d.Name != f.Worker {
			continue
		}
		s := process.FenceLease(r.k.o.Clock, process.LeasePath(d.leases, f.Lease), sweepPatience)
		r.fenced = append(r.fenced, candor.FenceReport{Lease: f.Lease, Worker: f.Worker, Dead: s.Clean(), Leftover: s.Names()})
		r.tellFence(d, f, s)
		return
	}
}

func (r *reporter) tellFence(d *kid, f candor.FenceOrder, s process.Swept) {
	if r.begun[f.Lease] && s.Clean() {
		return
	}
	r.begun[f.Lease] = true
	attrs := []slog.Attr{slog.String(record.KeyTask, f.Task.String()), slog.Int64(record.KeyLease, f.Lease)}
	if !s.Clean() {
		d.say(slog.LevelError, lineFence, fmt.Sprintf("Fencing %s on %s failed: %s", f.Task, d.Name, strings.Join(s.Names(), ", ")), attrs...)
		return
	}
	text := fmt.Sprintf("Fenced %s on %s, which does not answer: no process of it was left", f.Task, d.Name)
	if len(s.Killed) > 0 {
		text = fmt.Sprintf("Fenced %s on %s, which does not answer: ended %s", f.Task, d.Name, strings.Join(process.Names(s.Killed), ", "))
	}
	d.say(slog.LevelWarn, lineFence, text, attrs...)
}

func (k *keeper) say(level slog.Level, code, text string, attrs ...slog.Attr) {
	k.o.Log.LogAttrs(context.Background(), level, text, append([]slog.Attr{slog.String(record.KeyCode, code)}, attrs...)...)
}
