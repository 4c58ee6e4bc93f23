package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"candor"
	"candor/internal/record"
)

// Bounds of the back-off of calls to the brain.
const (
	backoffFirst = 200 * time.Millisecond
	backoffMost  = 5 * time.Second
	// emptyPause keeps a brain that answers at once, whatever it was asked to
	// wait, from being asked in a loop.
	emptyPause = 100 * time.Millisecond
)

// loop is the main loop. Its fields belong to its goroutine alone; calls to the
// brain run beside it and answer through a channel, so that a result is
// delivered while another call waits for work.
type loop struct {
	w       *worker
	calls   context.Context
	answers chan answer
	back    *backoff.ExponentialBackOff
	retry   <-chan time.Time // nil: nothing to wait for

	asking  bool               // a claim that wants work is under way
	asked   time.Time          // since when
	unask   context.CancelFunc // ends it
	sending bool               // a claim with results only is under way
	joining bool               // a registration is under way
	rejoin  bool               // the session is lost, or a claim's fate unknown
	stales  int                // refusals as stale in a row

	stop  string           // why it stops; "": it does not
	grace <-chan time.Time // until when attempts may run on
	hard  bool             // attempts are being ended

	linger <-chan time.Time // until when the last calls may answer
	fatal  error            // the brain will not have us, now or later
}

// answer is how a call ended.
type answer struct {
	want    int // tasks asked for; 0: results only; -1: registration
	wait    time.Duration
	epoch   int
	results []candor.Result
	reply   candor.ClaimReply
	err     error
}

func (a *answer) kind() string {
	switch {
	case a.want < 0:
		return "Registration"
	case a.want == 0:
		return "Delivery"
	default:
		return "Claim"
	}
}

// mainLoop runs until it was told to stop and nothing runs any more.
func (w *worker) mainLoop(ctx, calls context.Context) (why string, c *crash, fatal error) {
	l := &loop{w: w, calls: calls, answers: make(chan answer, 3), back: newBackoff(), unask: func() {}}
	defer func() { l.unask() }()
	defer func() {
		if p := recover(); p != nil {
			why, c, fatal = "crash", caught("main loop", p), nil
		}
	}()
	done := ctx.Done()
	for {
		if l.fatal != nil {
			return "refused", nil, l.fatal
		}
		if l.over() {
			return l.stop, nil, nil
		}
		l.step()
		select {
		case <-l.linger:
			return l.stop, nil, nil
		case a := <-l.answers:
			l.answered(a)
		case <-w.ended:
		case <-w.stale:
			l.rejoin = true
		case <-l.retry:
			l.retry = nil
		case why := <-w.o.Stop:
			l.told(why)
		case <-done:
			done = nil
			l.told("interrupted")
			l.interrupt()
		case <-l.grace:
			l.grace = nil
			l.interrupt()
		case c := <-w.crashes:
			return "crash", &c, nil
		}
	}
}

// over says that nothing runs any more and the last calls are answered.
func (l *loop) over() bool {
	if running, _, _ := l.w.board.count(); l.stop == "" || running > 0 {
		return false
	}
	if !l.asking && !l.sending && !l.joining {
		return true
	}
	if l.linger == nil {
		l.linger = l.w.o.Clock.After(lastWords)
	}
	return false
}

func newBackoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = backoffFirst, backoffMost, 2
	return b
}

// pauseOf is the next pause of a back-off, no longer than one between heartbeats:
// a brain that comes back must hear of us before it takes us for lost.
func (w *worker) pauseOf(b *backoff.ExponentialBackOff) time.Duration {
	return min(b.NextBackOff(), or(w.board.joined().Heartbeat.D(), defaultHeartbeat))
}

// told is the first word to stop, which drains, or the second, which interrupts.
func (l *loop) told(why string) {
	if l.stop != "" {
		l.interrupt()
		return
	}
	l.stop = why
	running, _, _ := l.w.board.count()
	text := fmt.Sprintf("Worker %s received shutdown signal (%s)", l.w.o.Name, why)
	if running > 0 {
		text += fmt.Sprintf("; %s may end within %s", plural(running, "attempt", "attempts"), candor.ShortDuration(l.w.o.Grace))
		l.grace = l.w.o.Clock.After(l.w.o.Grace)
	}
	l.w.say(slog.LevelInfo, lineSignal, text, slog.String(record.KeySignal, why))
	l.unask()
}

func (l *loop) interrupt() {
	if l.hard {
		return
	}
	l.hard = true
	for _, a := range l.w.board.attempts() {
		a.order(handBack(l.w.o.Name))
	}
}

// step starts the calls that are due, and says what the loop does.
func (l *loop) step() {
	w := l.w
	defer func() { w.board.do(l.doing(), w.o.Clock.Now()) }()
	if l.retry != nil || l.joining || l.linger != nil {
		return
	}
	session, epoch := w.board.ticket()
	if session == 0 || l.rejoin {
		if !l.asking && !l.sending {
			l.join(session)
		}
		return
	}
	if free := w.room(); free > 0 && !l.asking && l.stop == "" {
		l.ask(session, epoch, free)
	} else if !l.sending && w.spool.waiting() {
		l.sending = true
		l.send(l.calls, session, answer{epoch: epoch, results: w.spool.take()})
	}
}

func (l *loop) doing() string {
	switch all := l.w.board.attempts(); {
	case l.joining:
		return "joining the brain"
	case len(all) > 0 && l.stop != "":
		return "stopping, " + runningText(all)
	case len(all) > 0:
		return runningText(all)
	case l.stop != "":
		return "stopping"
	case l.retry != nil:
		return "waiting to ask again"
	case l.asking:
		return "waiting for work"
	}
	return "starting"
}

func (l *loop) join(seen int64) {
	l.joining, l.rejoin = true, false
	l.w.helpers.Go(func() {
		l.w.guard("registration", func() {
			err := l.w.register(l.calls, seen)
			l.answers <- answer{want: -1, err: err}
		})
	})
}

// ask claims work. With results it does not wait, so that their verdicts come at once.
func (l *loop) ask(session int64, epoch, free int) {
	w := l.w
	a := answer{want: free, epoch: epoch, results: w.spool.take()}
	if len(a.results) == 0 && !w.board.fails() {
		a.wait = w.o.Poll // after a failure it is known at once whether calls are answered again
	}
	w.board.do("claiming", w.o.Clock.Now())
	w.o.OnPoint("claim")
	w.say(slog.LevelDebug, lineClaim, "Attempting claim: up to "+plural(free, "task", "tasks"), record.Fold("ask"))
	l.asking, l.asked = true, w.o.Clock.Now()
	ctx, cancel := context.WithCancel(l.calls)
	l.unask = cancel
	l.send(ctx, session, a)
}

func (l *loop) send(ctx context.Context, session int64, a answer) {
	req := candor.ClaimRequest{Session: session, Results: a.results, Max: a.want, Wait: candor.Duration(a.wait), View: l.w.board.view()}
	l.w.helpers.Go(func() {
		l.w.guard("claim", func() {
			a.reply, a.err = l.w.o.Brain.Claim(ctx, l.w.o.Name, req)
			l.answers <- a
		})
	})
}

// answered takes up how a call ended.
func (l *loop) answered(a answer) {
	switch {
	case a.want < 0:
		l.joining = false
	case a.want == 0:
		l.sending = false
	default:
		l.asking = false
		l.unask()
	}
	if a.err != nil {
		l.failed(a)
		return
	}
	if a.want < 0 {
		return // the back-off goes on: that we may join does not say that claims are answered
	}
	l.back.Reset()
	l.w.answered(mainCalls)
	l.w.board.answeredCall()
	l.stales = 0
	l.w.settle(a.results, a.reply)
	if a.want > 0 {
		l.granted(a)
	}
}

func (l *loop) failed(a answer) {
	l.w.spool.giveBack(a.results)
	code := candor.CodeOf(a.err)
	switch {
	case a.want < 0 && l.w.unwanted(code):
		l.fatal = a.err
		l.w.say(slog.LevelError, lineBrain, fmt.Sprintf("The brain refuses worker %s: %v", l.w.o.Name, a.err),
			slog.String(record.KeyReason, string(code)), slog.Any(record.KeyError, a.err))
		return
	case l.stop != "" && code == candor.CodeInterrupted || l.calls.Err() != nil:
		l.rejoin = l.rejoin || a.want > 0 // it may have been granted in this very moment
		return
	case a.want < 0:
		// It may arrive yet, and end every lease that it did not know of: nothing
		// is claimed before one that names them all has been answered.
		l.rejoin = true
	case lostSession(a.err):
		l.rejoin = true
		if l.stales++; l.stales == 1 {
			l.w.say(slog.LevelInfo, lineBrain, "The brain does not know this session any more: joining again", slog.Any(record.KeyError, a.err))
			return
		}
	case len(a.results) > 0 && (code == candor.CodeTooLarge || code == candor.CodeInvalid):
		l.w.refused(a.results, a.err)
	case a.want > 0 && unsure(a.err):
		l.rejoin = true
	}
	l.w.board.failedCall(a.err, l.w.o.Clock.Now())
	l.w.trouble(mainCalls, a.kind(), a.err)
	l.retry = l.w.o.Clock.After(l.w.pauseOf(l.back))
}

// granted starts what a claim brought.
func (l *loop) granted(a answer) {
	w := l.w
	if len(a.reply.Tasks) == 0 {
		text := emptyText(a.reply.Report, w.o.Classes, w.board.view())
		w.say(slog.LevelDebug, lineEmpty, text, record.Fold("empty"))
		for _, line := range lostTexts(a.reply.Report) {
			w.say(slog.LevelDebug, lineEmpty, line)
		}
		if a.wait > 0 && w.o.Clock.Now().Sub(l.asked) < emptyPause {
			l.retry = w.o.Clock.After(emptyPause)
		}
		return
	}
	attempts := w.assigned(a.reply)
	seated, current := w.board.seat(a.epoch, attempts)
	if !current {
		// They went back to the queue when we registered meanwhile; to be certain, count again.
		w.say(slog.LevelInfo, lineClaim, "Dropped "+plural(len(attempts), "task", "tasks")+" claimed under a former session")
		l.rejoin = true
		return
	}
	if late := len(attempts) - len(seated); late > 0 {
		w.say(slog.LevelWarn, lineClaim, fmt.Sprintf("Dropped %s: the claim's answer took %s, and the brain has given up what it brought",
			plural(late, "task", "tasks"), candor.ShortDuration(w.o.Clock.Now().Sub(l.asked))))
	}
	for _, t := range seated {
		if l.stop != "" {
			t.order(handBack(w.o.Name))
		}
		w.begin(t)
	}
}
