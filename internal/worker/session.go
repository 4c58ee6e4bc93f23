package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"candor"
	"candor/internal/process"
	"candor/internal/record"
)

// register joins the brain, or joins it again in place of the session that was
// seen to fail. Main loop and reporter may both ask: the second one finds it done.
//
// Every lease that the brain holds for us and that is not named here is over.
// So leases are counted first, and claims that were under way meanwhile void:
// their tasks are going back to the queue.
func (w *worker) register(ctx context.Context, seen int64) error {
	select {
	case w.door <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.door }()
	if session, _ := w.board.ticket(); session != seen {
		return nil
	}
	// A finished attempt whose result waits is still ours to answer for.
	holds := append(w.board.recount(), w.spool.unsent()...)
	slices.Sort(holds)
	self := process.ProcState(os.Getpid())
	catalog, _ := w.catalog(0)
	select { // a task that needs a tool need not wait for the next heartbeat
	case <-w.programs.looked:
	case <-w.o.Clock.After(lookPatience):
	case <-ctx.Done():
		return ctx.Err()
	}
	programs, found := w.programs.all()
	reply, err := w.o.Brain.Register(ctx, candor.RegisterRequest{
		Protocol: candor.Protocol, View: w.board.view(), Holds: slices.Compact(holds),
		Verified: len(w.leftover) == 0, Leftover: w.leftover, Catalog: catalog, Programs: programs,
		Info: candor.WorkerInfo{
			Name: w.o.Name, Host: w.o.Host, PID: self.PID, Started: int64(self.Start), Version: w.o.Version,
			Classes: w.o.Classes, Slots: w.o.Slots, Labels: w.o.Labels, GPU: cardOf(w.o.GPU),
			Supervisor: w.o.Supervisor, Dir: w.o.StateDir,
		},
	})
	if err != nil {
		return err
	}
	w.board.join(reply)
	w.programs.heard(found)
	w.say(slog.LevelInfo, lineJoined, fmt.Sprintf("Joined the brain: session %d, heartbeat every %s, lost after %s", reply.Session, reply.Heartbeat, reply.Lost),
		slog.Int64("session", reply.Session))
	for _, lease := range reply.Drop {
		if a := w.board.attempt(lease); a != nil {
			a.order(order{outcome: candor.AttemptAborted,
				reason: candor.NewReason(candor.ReasonFenced, fmt.Sprintf("lease %d is not this worker's any more", lease))})
		}
	}
	if seen == 0 {
		close(w.joined)
	}
	return nil
}

// lostSession tells whether the brain does not know our session any more.
func lostSession(err error) bool {
	code := candor.CodeOf(err)
	return code == candor.CodeStale || code == candor.CodeNotFound
}

// unwanted tells whether a registration need not be tried again. The name is
// another's, who lives: what this one ran, if it was in before, the brain has
// taken back. Or the token, the name or the version is wrong, and somebody has to
// mend it; then a worker that was in once keeps trying, for the sake of what it runs.
func (w *worker) unwanted(code candor.Code) bool {
	switch code {
	case candor.CodeConflict:
		return true
	case candor.CodeUnauthorized, candor.CodeForbidden, candor.CodeUnsupported, candor.CodeInvalid:
		return w.board.joined().Session == 0
	}
	return false
}

// unsure tells whether a failed claim may have been granted all the same: the
// request may have arrived, only the answer has not.
func unsure(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return false
	}
	switch candor.CodeOf(err) {
	case candor.CodeUnavailable, candor.CodeInternal, candor.CodeTimeout, candor.CodeInterrupted:
		return true
	}
	return false
}

// Who calls the brain.
const (
	mainCalls   = "main loop"
	reportCalls = "reporter"
)

// link remembers whether the brain answers, so that its absence is told once
// and its return, too. It is back when all whose calls failed are answered:
// heartbeats may pass while claims do not.
type link struct {
	mu sync.Mutex
	// guarded by mu
	since  time.Time // zero: it answers
	failed int
	cut    map[string]bool // whose calls failed and were not answered since
}

// trouble counts and tells a call that failed.
func (w *worker) trouble(who, what string, err error) {
	code := candor.CodeOf(err)
	w.link.mu.Lock()
	if w.link.since.IsZero() {
		w.link.since, w.link.cut = w.o.Clock.Now(), map[string]bool{}
	}
	w.link.failed++
	w.link.cut[who] = true
	w.link.mu.Unlock()
	text := fmt.Sprintf("%s failed: %v; trying again", what, err)
	level := slog.LevelWarn
	switch code {
	case candor.CodeStoreBusy:
		text, level = "Store busy: "+err.Error(), slog.LevelDebug
	case candor.CodeConflict:
		text, level = "Lost race: "+err.Error(), slog.LevelDebug
	}
	if n, _, _ := w.board.count(); n > 0 && level == slog.LevelWarn {
		text += "; " + plural(n, "attempt runs", "attempts run") + " on"
	}
	w.say(level, lineBrain, text, slog.Any(record.KeyError, err), record.FoldOn(what, string(code)+text))
}

// answered tells that the brain is back, if it was away.
func (w *worker) answered(who string) {
	w.link.mu.Lock()
	since, failed := w.link.since, w.link.failed
	delete(w.link.cut, who)
	if len(w.link.cut) > 0 {
		w.link.mu.Unlock()
		return
	}
	w.link.since, w.link.failed = time.Time{}, 0
	w.link.mu.Unlock()
	if failed > 0 {
		w.say(slog.LevelInfo, lineBrain, fmt.Sprintf("The brain answers again after %s (%s)",
			candor.ShortDuration(w.o.Clock.Now().Sub(since)), plural(failed, "failed call", "failed calls")), slog.Int(record.KeyCount, failed))
	}
}
