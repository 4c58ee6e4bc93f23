package worker

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"candor"
)

// board is what main loop, reporter and attempts know of each other. Every
// method holds mu for a few assignments and never across I/O, so that nobody
// waits for anybody.
type board struct {
	serving func() *candor.Serving // immutable

	mu sync.Mutex
	// guarded by mu
	session   candor.RegisterReply // zero Session: not registered
	epoch     int                  // grows when leases are counted for a registration
	doing     string
	doingAt   time.Time
	running   map[int64]*attempt
	void      map[int64]bool // leases that are refused when a late answer brings them
	asked     []int64        // those that the brain has last asked to void
	idleAt    time.Time      // zero: something runs
	completed int
	failed    int
	failing   failing
	gpu       *candor.GPU
	orders    candor.HeartbeatReply // the last ones, without Abort
	cooling   chan struct{}         // closed when orders.Cool changes
}

func newBoard(now time.Time, gpu *candor.GPU, serving func() *candor.Serving) *board {
	return &board{serving: serving, running: map[int64]*attempt{}, void: map[int64]bool{}, cooling: make(chan struct{}), idleAt: now, doingAt: now, gpu: gpu}
}

// do says what the main loop does; the same again keeps its age.
func (b *board) do(doing string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.doing != doing {
		b.doing, b.doingAt = doing, now
	}
}

// remove takes an ended attempt off and counts it.
func (b *board) remove(lease int64, outcome candor.AttemptOutcome, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, lease)
	if len(b.running) == 0 {
		b.idleAt = now
	}
	switch outcome {
	case candor.AttemptDone:
		b.completed++
	case candor.AttemptFailed, candor.AttemptPermanent, candor.AttemptTimeout, candor.AttemptSilent, candor.AttemptBadWorker:
		b.failed++
	}
}

// attempts lists what runs, by lease.
func (b *board) attempts() []*attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sorted()
}

func (b *board) sorted() []*attempt {
	var all []*attempt
	for _, lease := range slices.Sorted(maps.Keys(b.running)) {
		all = append(all, b.running[lease])
	}
	return all
}

func (b *board) attempt(lease int64) *attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running[lease]
}

func (b *board) count() (running, completed, failed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.running), b.completed, b.failed
}

func (b *board) load() load {
	b.mu.Lock()
	defer b.mu.Unlock()
	var l load
	for _, a := range b.running {
		l.add(a.spec.Step.Class)
	}
	return l
}

func (b *board) joined() candor.RegisterReply {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.session
}

// ticket is what a claim is asked under; its reply counts only as long as no
// registration has counted leases since.
func (b *board) ticket() (session int64, epoch int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.session.Session, b.epoch
}

// seat puts the attempts of a reply on the board, but for those whose leases
// were voided meanwhile: all of them when the ticket has gone stale.
func (b *board) seat(epoch int, attempts []*attempt) (seated []*attempt, current bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.epoch != epoch {
		return nil, false
	}
	for _, a := range attempts {
		if b.void[a.Lease] {
			continue
		}
		b.running[a.Lease] = a
		b.idleAt = time.Time{}
		seated = append(seated, a)
	}
	return seated, true
}

// renounce voids the leases that the brain asks about and that are not on the
// board, and tells whether there are new ones. The answer that brings one later
// is refused; the next heartbeat says so.
func (b *board) renounce(leases []int64) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = leases
	for _, lease := range leases {
		if b.running[lease] == nil && !b.void[lease] {
			b.void[lease], news = true, true
		}
	}
	return news
}

// recount voids all tickets and tells which leases run now.
func (b *board) recount() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch++
	clear(b.void) // their answers, if they come, have a stale ticket
	return slices.Sorted(maps.Keys(b.running))
}

func (b *board) join(reply candor.RegisterReply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session.Session == 0 {
		b.failing = failing{} // until now there was nobody to answer
	}
	b.session = reply
}

// ordered keeps the brain's standing orders and tells whether they changed.
func (b *board) ordered(reply candor.HeartbeatReply) (changed bool, was candor.HeartbeatReply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was = b.orders
	b.orders = candor.HeartbeatReply{Draining: reply.Draining, Paused: reply.Paused, Cool: reply.Cool}
	if was.Cool != reply.Cool {
		close(b.cooling)
		b.cooling = make(chan struct{})
	}
	return was.Draining != reply.Draining || was.Paused != reply.Paused || (was.Cool == "") != (reply.Cool == ""), was
}

func (b *board) view() candor.View {
	serving := b.serving()
	b.mu.Lock()
	defer b.mu.Unlock()
	return viewOf(b.gpu, serving)
}

// hot says that the card is too hot, "" if it is not, and when to ask again.
func (b *board) hot() (text string, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.orders.Cool, b.cooling
}

func (b *board) card(gpu *candor.GPU) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gpu = gpu
}

// heartbeat is the reporter's word on what runs; see worker.heartbeat for the rest.
func (b *board) heartbeat(now time.Time) candor.HeartbeatRequest {
	serving := b.serving()
	b.mu.Lock()
	defer b.mu.Unlock()
	req := candor.HeartbeatRequest{
		Session: b.session.Session, Doing: b.doing, Since: candor.Duration(now.Sub(b.doingAt)),
		View: viewOf(b.gpu, serving), Failing: b.failing.view(now),
	}
	if !b.idleAt.IsZero() {
		req.Idle = candor.Duration(now.Sub(b.idleAt))
	}
	for _, a := range b.sorted() {
		req.Running = append(req.Running, candor.LeaseProgress{Lease: a.Lease, Progress: *a.progress.Load()})
	}
	for _, lease := range b.asked {
		if b.void[lease] && b.running[lease] == nil {
			req.Void = append(req.Void, lease)
		}
	}
	return req
}

// runningText names what runs: "running passages[3] t_5g7n2k9q, topics[0] t_9m3k4t2x".
func runningText(all []*attempt) string {
	const shown = 3
	var names []string
	for _, a := range all[:min(len(all), shown)] {
		names = append(names, a.name()+" "+a.Task.String())
	}
	text := "running " + strings.Join(names, ", ")
	if more := len(all) - shown; more > 0 {
		text += " and " + plural(more, "more", "more")
	}
	return text
}
