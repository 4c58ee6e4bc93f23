package sched

import (
	"slices"
	"sort"
	"strings"
	"time"

	"candor"
)

// Sharing. What is spread evenly ends soonest: of a short queue a worker with
// several slots leaves its equals their part, and takes nothing in reserve that
// somebody could begin now, or will be free for next. Of a queue longer than what
// the farm could take at once, everybody gets what he asks for, and none of this
// is computed.

// share is how many attempts a worker may hold, those included that it holds
// already, while it takes tasks of one shape.
type share struct {
	most int
	left []*worker // with free slots: the rest is left to them. None: it is full
}

// over tells whether a worker has its share of what a class is bounded by; with
// no share there is no bound but the worker's own.
func (p *share) over(h *Have, c candor.Class) bool {
	if p == nil {
		return false
	}
	taken, _ := h.room(c)
	return taken >= p.most
}

// roomNow is room without what would be taken in reserve of the last tasks.
func (h *Have) roomNow(c candor.Class) (taken, most int) {
	taken, most = h.room(c)
	if h.share != nil && len(h.share.left) == 0 {
		most = min(most, h.share.most)
	}
	return taken, most
}

const (
	// askGrace is how long a worker may take from the end of one claim to the next.
	// For who has a free slot and does not ask for longer nothing is left.
	askGrace = 2 * time.Second
	// shareAgain is after how long a claim that left something is tried again, since
	// those for whom it was left may not have come for it.
	shareAgain = time.Second
	// peersOld is how long it is taken for true who has memory for a shape: what
	// begins and ends on the cards of a large farm changes it all the time.
	peersOld = 250 * time.Millisecond
)

// asksSoon is when the claim of a worker that is held for so long, or the next
// one, is due at the latest.
func (w *worker) asksSoon(now time.Time, wait time.Duration) {
	w.due = now.Add(max(wait, 0) + askGrace)
}

// bears is how many attempts of a class's kind a worker holds, and how many it
// works on at once. It may hold more, in reserve.
func (w *worker) bears(c candor.Class) (taken, slots int) {
	taken, slots = w.load.room(c, w.view.Serving, w.info.Slots)
	if s := w.view.Serving; s != nil && c == candor.ClassLLM && s.Slots > 0 {
		slots = min(slots, s.Slots)
	}
	return taken, slots
}

// peers are the workers that take tasks of a shape now, or will once a slot of
// theirs is free.
type peers struct {
	round   int64
	at      time.Time
	workers []*worker
	slots   int // of all of them
}

// peersOf gathers them: once a round for each shape of which little is queued.
func (s *State) peersOf(sh *shape) *peers {
	c := &peers{round: s.round, at: s.now}
	for _, w := range s.roster {
		if !w.present() || !slices.Contains(w.info.Classes, sh.want.Class) {
			continue
		}
		have := s.have(w)
		if code, _ := Eligible(&sh.want, &have, nil); code != "" && code != candor.ReasonBusy {
			continue
		}
		_, n := w.bears(sh.want.Class)
		c.workers, c.slots = append(c.workers, w), c.slots+n
	}
	return c
}

// sharing computes the shares of one claim, each at the first task of a shape.
type sharing struct {
	s      *State
	w      *worker
	have   Have     // when it began
	cands  []*shape // that the worker could take; nil: not looked for yet
	short  int      // a longer queue is not shared
	shares map[*shape]*share
	reads  bool              // it only explains: nothing is kept
	left   bool              // something was left to others
	memo   map[*shape]*peers // of an instant at which many are asked; nil: no memo
}

func (s *State) sharing(w *worker, have *Have) *sharing {
	g := &sharing{s: s, w: w, have: *have, short: -1}
	g.have.share = nil
	return g
}

// remembering makes it gather peers once for all that share a memo.
func (g *sharing) remembering(memo map[*shape]*peers) *sharing {
	g.memo = memo
	return g
}

// reading makes it leave the state as it is.
func (g *sharing) reading() *sharing {
	g.reads = true
	return g
}

// over notes in h the share of a shape, and tells whether the worker has it.
func (g *sharing) over(h *Have, sh *shape) bool {
	h.share = g.of(sh)
	over := h.share.over(h, sh.want.Class)
	g.left = g.left || over && len(h.share.left) > 0
	return over
}

func (g *sharing) of(sh *shape) *share {
	if sh.want.Class == candor.ClassResource || sh.ready == 0 {
		return nil
	}
	if g.short < 0 {
		g.short = g.s.slots()
	}
	if sh.ready > g.short {
		return nil
	}
	p, known := g.shares[sh]
	if !known {
		p = g.compute(sh)
		if g.shares == nil {
			g.shares = map[*shape]*share{}
		}
		g.shares[sh] = p
	}
	return p
}

// slots is how much the farm could work on at once, of all kinds.
func (s *State) slots() int {
	n := 0
	for _, w := range s.roster {
		if w.present() {
			_, llm := w.bears(candor.ClassLLM)
			n += w.info.Slots + llm
		}
	}
	return n
}

func (g *sharing) compute(sh *shape) *share {
	ready := g.competing(sh.want.Class)
	if ready > g.short {
		return nil
	}
	c := g.peers(sh)
	free := c.free(g.s.now, sh.want.Class, g.w)
	own, slots := g.w.bears(sh.want.Class)
	if len(free) == 0 {
		// Nobody else begins now. In reserve it takes what is left when all have
		// taken their next one.
		return &share{most: max(slots, own+ready-c.slots)}
	}
	return &share{most: min(slots, level(append(free, g.w), sh.want.Class, ready)), left: free}
}

// peers are those of a shape, gathered as seldom as the answer allows.
func (g *sharing) peers(sh *shape) *peers {
	if g.memo != nil {
		if g.memo[sh] == nil {
			g.memo[sh] = g.s.peersOf(sh)
		}
		return g.memo[sh]
	}
	c := sh.peers
	if c == nil || c.round != g.s.round || sh.want.VRAM > 0 && g.s.now.Sub(c.at) > peersOld {
		if c = g.s.peersOf(sh); !g.reads {
			sh.peers = c
		}
	}
	return c
}

// competing counts the claimable tasks for which a worker would use the same
// slots as for those of a class.
func (g *sharing) competing(c candor.Class) int {
	if g.cands == nil {
		g.cands = g.s.candidates(&g.have)
	}
	n := 0
	for _, sh := range g.cands {
		if g.have.Serving == nil || (sh.want.Class == candor.ClassLLM) == (c == candor.ClassLLM) {
			n += sh.ready
		}
	}
	return n
}

// free are the others among the peers that can begin a task now, and ask for one.
func (c *peers) free(now time.Time, class candor.Class, but *worker) []*worker {
	var free []*worker
	for _, w := range c.workers {
		if w == but || w.due.Before(now) {
			continue
		}
		if taken, slots := w.bears(class); taken < slots {
			free = append(free, w)
		}
	}
	return free
}

// level is how many attempts each of some workers holds once so many more tasks
// are spread over them as evenly as their slots let them be.
func level(ws []*worker, c candor.Class, tasks int) int {
	top := 0
	for _, w := range ws {
		_, slots := w.bears(c)
		top = max(top, slots)
	}
	return sort.Search(top, func(l int) bool {
		room := 0
		for _, w := range ws {
			taken, slots := w.bears(c)
			room += max(0, min(l, slots)-taken)
		}
		return room >= tasks
	})
}

// shareOf is the share of a worker in a shape as a claim of it would have it.
func (s *State) shareOf(w *worker, have *Have, sh *shape) *share {
	return s.sharing(w, have).reading().of(sh)
}

// namesSaid is how many workers a sentence names.
const namesSaid = 5

// sayShare says what a worker leaves to whom.
func (h *Have) sayShare(c candor.Class) (wanted, actual string) {
	wanted = "a task that no other worker could begin sooner"
	if h.share == nil || len(h.share.left) == 0 {
		return wanted, "nobody else could"
	}
	var names []string
	for _, w := range h.share.left[:min(len(h.share.left), namesSaid)] {
		names = append(names, w.info.Name)
	}
	who := strings.Join(names, ", ")
	if more := len(h.share.left) - len(names); more > 0 {
		who += " and " + count(more, "other")
	}
	taken, _ := h.room(c)
	return wanted, count(taken, "task") + " in hand; the rest is left to " + who + ", with free slots"
}

// leftSome notes that a claim left tasks to others. What it had its share of is
// claimed once nobody else could begin it.
func (s *State) leftSome() {
	if s.leftAt.IsZero() {
		s.leftAt = s.now
	}
}

// shared lets claims that left something be tried again: somebody has filled
// his last slot, or nobody came for it.
func (s *State) shared(w *worker, c candor.Class) {
	if s.leftAt.IsZero() {
		return
	}
	if taken, slots := w.bears(c); taken >= slots {
		s.leftAt = time.Time{}
		s.ready++
	}
}

func (s *State) shareLater() {
	if !s.leftAt.IsZero() && s.now.Sub(s.leftAt) >= shareAgain {
		s.leftAt = time.Time{}
		s.ready++
	}
}
