package worker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"candor"
	"candor/internal/record"
)

const (
	// defaultHeartbeat serves when a brain names no interval.
	defaultHeartbeat = 10 * time.Second
	// cardEvery is how often the GPU's numbers are refreshed: heat changes in
	// seconds, and a call of the vendor's tool takes up to one.
	cardEvery = 5 * time.Second
)

// report is the reporter: it says what the main loop does, whatever state that
// is in, and passes the brain's orders on.
func (w *worker) report(ctx context.Context) {
	select {
	case <-w.joined:
	case <-ctx.Done():
		return
	}
	back := newBackoff()
	var told int64 // revision of the catalog that the brain has
	for ctx.Err() == nil {
		w.o.OnPoint("report")
		begun := w.o.Clock.Now()
		every := or(w.board.joined().Heartbeat.D(), defaultHeartbeat)
		req := w.heartbeat(begun)
		req.Wait = candor.Duration(every)
		catalog, revision := w.catalog(told)
		programs, found := w.programs.news()
		req.Catalog, req.Programs = catalog, programs
		w.tellHeartbeat(req)
		reply, err := w.o.Brain.Heartbeat(ctx, w.o.Name, req)
		if err != nil {
			if ctx.Err() == nil && !w.mend(ctx, req.Session, err) {
				_ = w.o.Clock.Sleep(ctx, w.pauseOf(back))
			}
			continue
		}
		back.Reset()
		w.answered(reportCalls)
		told = revision
		w.programs.heard(found)
		if reply.Tell {
			told = 0
			w.programs.heard(0)
		}
		if news := w.obey(reply); news || reply.Tell && found > 0 {
			continue // the brain did not hold the answer: be there for its next word
		}
		select {
		case <-w.o.Clock.After(every - w.o.Clock.Now().Sub(begun)):
		case <-w.news():
		case <-w.programs.changed:
		case <-ctx.Done():
		}
	}
}

// heartbeat names every lease that the worker answers for: what runs, and what
// has ended and waits for the brain's verdict. The board is read before the
// spool, since an attempt is in the spool before it leaves the board: in the
// other order one that ends in between would be in neither.
func (w *worker) heartbeat(now time.Time) candor.HeartbeatRequest {
	req := w.board.heartbeat(now)
	for _, lease := range w.spool.unsent() {
		if !slices.ContainsFunc(req.Running, func(p candor.LeaseProgress) bool { return p.Lease == lease }) {
			req.Running = append(req.Running, candor.LeaseProgress{Lease: lease, Progress: candor.Progress{Kind: kindResult}})
		}
		req.Void = slices.DeleteFunc(req.Void, func(void int64) bool { return void == lease })
	}
	return req
}

// mend joins again after a heartbeat was refused. The main loop would do so at
// its next claim, but it may be blocked, which the brain should be told.
func (w *worker) mend(ctx context.Context, session int64, err error) bool {
	if lostSession(err) {
		err = w.register(ctx, session)
		if err == nil {
			return true
		}
		select {
		case w.stale <- struct{}{}:
		default:
		}
	}
	w.trouble(reportCalls, "Heartbeat", err)
	return false
}

func (w *worker) tellHeartbeat(req candor.HeartbeatRequest) {
	status, idle := "processing", time.Duration(0)
	if len(req.Running) == 0 {
		status, idle = "idle", req.Idle.D()
	}
	w.say(slog.LevelDebug, lineHeartbeat, fmt.Sprintf("Heartbeat sent - status: %s, idle: %ds", status, int(idle.Seconds())),
		record.FoldOn("heartbeat", status))
}

// obey carries out orders and tells whether there were new ones.
func (w *worker) obey(reply candor.HeartbeatReply) (news bool) {
	for _, o := range reply.Abort {
		a := w.board.attempt(o.Lease)
		if a == nil {
			continue // ended already: its result says how
		}
		news = a.order(order{outcome: candor.AttemptAborted, reason: candor.NewReason(o.Reason, o.Text)}) || news
	}
	news = w.board.renounce(reply.Void) || news
	changed, was := w.board.ordered(reply)
	if !changed {
		return news
	}
	tell := func(now, before bool, begins, ends string) {
		if now != before && now {
			w.say(slog.LevelInfo, lineOrders, "The brain "+begins)
		} else if now != before {
			w.say(slog.LevelInfo, lineOrders, "The brain "+ends)
		}
	}
	tell(reply.Draining, was.Draining, "drains this worker: it gets nothing new", "ends the drain of this worker")
	tell(reply.Cool != "", was.Cool != "", "lets the card cool: "+reply.Cool, "says that the card is cool again")
	tell(reply.Paused, was.Paused, "paused this worker: it gets nothing new", "resumed this worker")
	return true
}
