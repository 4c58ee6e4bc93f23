package sched

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// Races. Who waits for work and sees another get it has lost a race. No decision
// need be wrong for that: somebody asked earlier. But one who loses all of them is
// idle beside a farm that works, and "nothing is queued" does not tell him apart
// from one for whom nothing came. So each worker keeps a ledger of what went to
// whom while it waited and could have begun it, and by how much it was late.
//
// A shape keeps its last takings; a worker that waits reads those that came since
// it last looked. So a claim costs by what happened meanwhile, at most
// takingsKept of each shape, and never by the number of those who wait.

const (
	takingsKept = 32 // of a shape. What goes faster than its waiting workers look is told as "at least"
	rivalsKept  = 32 // of a worker. Of further ones only the sum is kept
	marginsKept = 9  // of a pair, for the median
)

// taking is that a worker got a task.
type taking struct {
	seq    int64 // counts the takings of all shapes
	winner string
	at     time.Time
	asked  time.Time // when the winner had asked
}

// takings are the last ones of a shape, in a ring.
type takings struct {
	ring []taking
	next int // where the next one goes, once the ring is full
}

func (ts *takings) add(t taking) {
	if len(ts.ring) < takingsKept {
		ts.ring = append(ts.ring, t)
		return
	}
	ts.ring[ts.next] = t
	ts.next = (ts.next + 1) % takingsKept
}

// back is the last one but n.
func (ts *takings) back(n int) *taking {
	return &ts.ring[(ts.next+len(ts.ring)-1-n)%len(ts.ring)]
}

// since counts those after a number, and tells whether some may be gone.
func (ts *takings) since(seq int64) (n int, gone bool) {
	for n < len(ts.ring) && ts.back(n).seq > seq {
		n++
	}
	return n, n == takingsKept
}

// races is a worker's ledger.
type races struct {
	since   time.Time
	seen    int64 // takings that it has looked at
	waits   bool  // a claim of it waits, so that what others get is lost to it
	won     int
	lost    int
	rivals  []rival
	others  int  // lost to those that have no place in rivals any more
	atLeast bool // some went by too fast to be counted
}

// rival is whom a worker lost to.
type rival struct {
	name    string
	lost    int
	margins []time.Duration // the last ones, the newest at its end
	at      time.Time
}

// raced tells a ledger that a task went to another.
func (r *races) raced(t *taking, asked time.Time) {
	r.lost++
	i := slices.IndexFunc(r.rivals, func(o rival) bool { return o.name == t.winner })
	if i < 0 {
		i = r.place(t.winner)
	}
	o := &r.rivals[i]
	o.lost, o.at = o.lost+1, t.at
	if len(o.margins) == marginsKept {
		o.margins = append(o.margins[:0], o.margins[1:]...)
	}
	o.margins = append(o.margins, asked.Sub(t.asked))
}

// place makes room for a rival, if need be by giving up the one it lost to least
// recently.
func (r *races) place(name string) int {
	if len(r.rivals) < rivalsKept {
		r.rivals = append(r.rivals, rival{name: name})
		return len(r.rivals) - 1
	}
	oldest := 0
	for i := range r.rivals {
		if r.rivals[i].at.Before(r.rivals[oldest].at) {
			oldest = i
		}
	}
	r.others += r.rivals[oldest].lost
	r.rivals[oldest] = rival{name: name}
	return oldest
}

// copied is a ledger that may be written to without a trace.
func (r *races) copied() races {
	c := *r
	c.rivals = slices.Clone(r.rivals)
	for i := range c.rivals {
		c.rivals[i].margins = slices.Clone(c.rivals[i].margins)
	}
	return c
}

// tookOne notes who got a shape's task.
func (s *State) tookOne(sh *shape, w *worker) {
	s.taken++
	sh.takings.add(taking{seq: s.taken, winner: w.info.Name, at: s.now, asked: w.asked})
	w.races.won++
}

// countRaces brings a worker's ledger up to date, or a copy of it for one who
// only asks. What it could not have begun, it did not lose.
func (s *State) countRaces(r *races, w *worker, have *Have) {
	if !r.waits || r.seen == s.taken {
		return
	}
	for _, sh := range s.shapeList {
		n, gone := sh.takings.since(r.seen)
		if n == 0 || !couldBegin(w, have, sh) {
			continue
		}
		r.atLeast = r.atLeast || gone
		for n--; n >= 0; n-- { // oldest first
			if t := sh.takings.back(n); t.winner != w.info.Name {
				r.raced(t, w.asked)
			}
		}
	}
	r.seen = s.taken
}

// givenUp counts what a worker lost under a claim that it did not wait out.
func (s *State) givenUp(w *worker) {
	if w.races.waits && w.races.seen < s.taken {
		have := s.have(w)
		s.countRaces(&w.races, w, &have)
	}
}

// couldBegin tells whether a worker would begin a task of a shape now. What it
// would only hold in reserve, it does not miss.
func couldBegin(w *worker, have *Have, sh *shape) bool {
	if taken, slots := w.bears(sh.want.Class); taken >= slots {
		return false
	}
	code, _ := Eligible(&sh.want, have, nil)
	return code == ""
}

// racesOf is a worker's ledger as it stands this moment.
func (s *State) racesOf(w *worker) *candor.Races {
	r := w.races
	if r.waits && r.seen < s.taken && w.present() {
		r = r.copied()
		have := s.have(w)
		s.countRaces(&r, w, &have)
	}
	v := &candor.Races{Since: r.since, Won: r.won, Lost: r.lost, Others: r.others, AtLeast: r.atLeast}
	for i := range r.rivals {
		o := &r.rivals[i]
		v.To = append(v.To, candor.Rival{
			Worker: o.name, Lost: o.lost, Median: candor.Duration(median(o.margins)), Last: candor.Duration(o.margins[len(o.margins)-1]), At: o.at,
		})
	}
	slices.SortFunc(v.To, func(a, b candor.Rival) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Worker, b.Worker))
	})
	return v
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// slotsThere counts the slots of all workers that are there.
func (s *State) slotsThere() int {
	n := 0
	for _, w := range s.roster {
		if w.present() {
			n += w.info.Slots
		}
	}
	return n
}

// evenShare is what a worker would do if all slots did the same.
func (w *worker) evenShare(slots int) float64 {
	if !w.present() || slots == 0 {
		return 0
	}
	return float64(w.info.Slots) / float64(slots)
}

// rivalsSaid is how many of those it lost to a sentence names.
const rivalsSaid = 3

// sayRaces adds to why a worker waits that what came went to others.
func sayRaces(r *candor.Reason, v *candor.Races) {
	switch r.Code {
	case candor.ReasonIdleNoWork, candor.ReasonIdleHands, candor.ReasonIdleClaiming:
	default:
		return
	}
	if v.Lost == 0 {
		return
	}
	var parts []string
	for _, o := range v.To[:min(len(v.To), rivalsSaid)] {
		parts = append(parts, fmt.Sprintf("%d to %s, which %s", o.Lost, o.Worker, candor.SayMargin(o.Median)))
	}
	if more := len(v.To) - len(parts); more > 0 {
		parts = append(parts, "the rest to "+count(more, "other"))
	}
	least := ""
	if v.AtLeast {
		least = "at least "
	}
	r.Text += fmt.Sprintf("; while it waited, since %s, %s%s went to others and %d to it: %s", candor.FormatTime(v.Since), least,
		count(v.Lost, "task"), v.Won, strings.Join(parts, ", "))
	r.With("races_lost", v.Lost).With("races_won", v.Won)
}
