package worker

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"candor"
	"candor/internal/record"
)

// How long the last words may take, all results and the farewell together.
const lastWords = 5 * time.Second

// crash is a panic, caught.
type crash struct {
	where string
	what  string
	stack string
}

func caught(where string, p any) *crash {
	return &crash{where: where, what: fmt.Sprint(p), stack: string(debug.Stack())}
}

// guard runs f and hands its panic, which would end the process with children
// and all, to the main loop. The first one counts.
func (w *worker) guard(where string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			w.fell(caught(where, p))
		}
	}()
	f()
}

func (w *worker) fell(c *crash) {
	select {
	case w.crashes <- *c:
	default:
	}
}

func (w *worker) crashed(c *crash) {
	w.say(slog.LevelError, lineCrashed, fmt.Sprintf("Worker %s crashed in %s: %s", w.o.Name, c.where, c.what),
		slog.String(record.KeyStack, c.stack))
}

// endAttempts hands back what still runs, and waits until it is gone.
func (w *worker) endAttempts(c *crash) {
	for _, a := range w.board.attempts() {
		if c == nil {
			a.order(handBack(w.o.Name))
			continue
		}
		a.order(order{outcome: candor.AttemptLost,
			reason: candor.NewReason(candor.ReasonWorkerDied, fmt.Sprintf("worker %s crashed: %s", w.o.Name, c.what))})
	}
	w.live.Wait()
}

// handBack is the order for attempts whose worker goes.
func handBack(name string) order {
	return order{outcome: candor.AttemptAborted,
		reason: candor.NewReason(candor.ReasonShutdown, "worker "+name+" was told to stop; the attempt is handed back")}
}

// farewell delivers what is left and leaves. What the brain cannot be told now
// stays in the spool for the next session.
func (w *worker) farewell(calls context.Context, why string, c *crash) {
	_, completed, failed := w.board.count()
	w.say(slog.LevelInfo, lineShutdown, fmt.Sprintf("Worker %s shutting down - completed %s, failed %d",
		w.o.Name, plural(completed, "task", "tasks"), failed))
	ctx, cancel := context.WithCancel(calls)
	defer cancel()
	over := w.o.Clock.After(lastWords)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.guard("farewell", func() { w.lastWords(ctx, why, c, completed, failed) })
	}()
	select {
	case <-done:
	case <-over:
		cancel()
		<-done
	}
	if n := len(w.spool.unsent()); n > 0 {
		w.say(slog.LevelWarn, lineSpool, plural(n, "result stays", "results stay")+" in the spool for the next session", slog.Int(record.KeyCount, n))
	}
}

func (w *worker) lastWords(ctx context.Context, why string, c *crash, completed, failed int) {
	if w.board.joined().Session == 0 {
		return
	}
	w.spool.reopen() // a main loop that crashed, or gave up waiting, may have had some in hand
	for results := w.spool.take(); len(results) > 0; results = w.spool.take() {
		session, _ := w.board.ticket()
		reply, err := w.o.Brain.Claim(ctx, w.o.Name, candor.ClaimRequest{Session: session, Results: results, View: w.board.view()})
		if err != nil {
			w.spool.giveBack(results)
			w.say(slog.LevelWarn, lineBrain, "The last results could not be delivered", slog.Any(record.KeyError, err))
			break
		}
		w.settle(results, reply)
	}
	req := candor.LeaveRequest{Session: w.board.joined().Session, Why: why, Completed: completed, Failed: failed}
	if c != nil {
		req.Crash = c.what
	}
	if err := w.o.Brain.Leave(ctx, w.o.Name, req); err != nil {
		w.say(slog.LevelWarn, lineBrain, "The brain could not be told that worker "+w.o.Name+" leaves", slog.Any(record.KeyError, err))
	}
}
