package main

import (
	"math"
	"slices"
	"sort"
	"time"

	"candor"
)

// bound is a time that no schedule can undercut, not even one that knows all
// durations, arrivals and deaths beforehand. It is what rig.go allows that is
// bounded: tasks run to their end on one card, on cards that hold their model; a
// card loads one model at a time; loads on a host share its disk.
//
// Suppose a schedule ends at T. Card w is there from a(w) to e(w) = min(its
// death, T). It may run its first task only when its first load is done, which
// takes at least f(w), its shortest. Let s(w) be that instant for each card that
// runs anything at all. The following must hold, and each test below is one of
// them; bound is the least T that fails none. All of them, once true, stay true
// for a larger T, so that T is found by halving.
//
// Starts. s(w) ≥ a(w)+f(w). Further, on one host, order the cards by s: when the
// k-th starts, k whole loads have come from the host's disk, which gives one
// second of reading in a second, and began no earlier than the first of its
// cards joined. So the k-th start is no earlier than that plus the k shortest of
// the f, which is called q(k). And a task of which none was submitted before the
// first r0 starts at r0 or later.
//
// Work (work). Within T, cards run for at most Σ max(0, e(w)-s(w)), and it must
// be at least the sum of all tasks. By host this is at most Σ max(0,
// e(w)-a(w)-f(w)); and, if the k-th start is at least q(k), at most Σ max(0,
// e[k]-q(k)) with the latest e first: max(0, x) is convex, so no pairing of ends
// and starts gives more than the one of the latest end with the earliest start.
// The smaller of both counts.
//
// Late work (late). What is submitted at r or later runs within [r, T]: for each
// r the cards are there for at least the sum of those tasks.
//
// Loads (loads). A model is solo if no other that is wanted fits beside it on
// any card. While a card loads a solo model, it runs nothing: what runs would
// have to be in memory beside it. Each solo model must be loaded once at least,
// on some card: for λ(m), the shortest of its loads. So the time for which cards
// are there must be at least all tasks plus all λ. And since at most as many
// models as there are cards are first loads, the time after the starts must be
// at least all tasks plus all λ but the largest as many as there are cards.
//
// Whole tasks (whole). Among the k longest tasks each takes at least p(k). After
// its start a card ends at most ⌊(e(w)-s(w))/p(k)⌋ of them, and they must be k
// together. Where no card dies all e are T, and as max(0, x) and ⌊x⌋ never fall,
// s(w) may be replaced by q in order. Further, with M cards, one of them runs q+1
// of the qM+1 longest tasks: T is at least the earliest start plus the q+1
// shortest of these.
//
// One task (alone). Each runs somewhere: after its submission and after a load
// of its model on that card, to its end before the card dies.
func bound(in *instance) time.Duration {
	b := newBounds(in)
	least := b.floor()
	n := sort.Search(int(limit/time.Millisecond), func(ms int) bool {
		return b.possible(least + time.Duration(ms)*time.Millisecond)
	})
	if n == 0 {
		return least
	}
	return least + time.Duration(n-1)*time.Millisecond // between n-1 and n: the lower one is sure
}

// bounds is what the tests need of an instance, computed once.
type bounds struct {
	in     *instance
	first  []time.Duration         // f, by card; never for one on which no wanted model fits
	hosts  map[int][]int           // cards by host
	order  []int                   // hosts
	starts map[int][]time.Duration // q, by host
	sorted []time.Duration         // tasks, the longest first
	late   []submitted
	lambda []time.Duration // of solo models, the largest first
	dies   bool
}

// submitted is how much work comes at an instant or later.
type submitted struct{ at, work time.Duration }

const never = time.Duration(math.MaxInt64 / 4)

func newBounds(in *instance) *bounds {
	b := &bounds{in: in, hosts: map[int][]int{}, starts: map[int][]time.Duration{}}
	for _, t := range in.tasks {
		b.sorted = append(b.sorted, t.takes)
	}
	slices.SortFunc(b.sorted, func(x, y time.Duration) int { return int(y - x) })
	b.submissions()
	for w := range in.cards {
		c := &in.cards[w]
		f := never
		for m := range in.models {
			if b.wanted(m) && in.models[m].size <= c.size {
				f = min(f, c.loads[m])
			}
		}
		b.first = append(b.first, f)
		b.dies = b.dies || c.dies > 0
		if b.hosts[c.host] == nil {
			b.order = append(b.order, c.host)
		}
		b.hosts[c.host] = append(b.hosts[c.host], w)
	}
	for _, h := range b.order {
		b.starts[h] = b.startsOn(h)
	}
	b.solos()
	return b
}

func (b *bounds) wanted(m int) bool {
	return slices.ContainsFunc(b.in.tasks, func(t task) bool { return t.model == m })
}

func (b *bounds) submissions() {
	byTime := slices.SortedFunc(slices.Values(b.in.tasks), func(x, y task) int { return int(y.at - x.at) })
	work := time.Duration(0)
	for i, t := range byTime {
		work += t.takes
		if i+1 == len(byTime) || byTime[i+1].at != t.at {
			b.late = append(b.late, submitted{t.at, work})
		}
	}
}

// startsOn are q of a host, ascending.
func (b *bounds) startsOn(h int) []time.Duration {
	joined, loads := never, []time.Duration{}
	for _, w := range b.hosts[h] {
		joined = min(joined, b.in.cards[w].joins)
		loads = append(loads, b.first[w])
	}
	slices.Sort(loads)
	out, sum := []time.Duration{}, time.Duration(0)
	for _, l := range loads {
		sum = min(sum+l, never)
		out = append(out, max(joined+sum, b.begins()))
	}
	return out
}

// begins is when the first task is submitted.
func (b *bounds) begins() time.Duration { return b.late[len(b.late)-1].at }

// solos finds λ of models beside which no other fits.
func (b *bounds) solos() {
	for m := range b.in.models {
		if !b.wanted(m) || !b.solo(m) {
			continue
		}
		least := never
		for w := range b.in.cards {
			if b.in.models[m].size <= b.in.cards[w].size {
				least = min(least, b.in.cards[w].loads[m])
			}
		}
		b.lambda = append(b.lambda, least)
	}
	slices.SortFunc(b.lambda, func(x, y time.Duration) int { return int(y - x) })
}

func (b *bounds) solo(m int) bool {
	most := candor.Bytes(0)
	for _, c := range b.in.cards {
		most = max(most, c.size)
	}
	for o := range b.in.models {
		if o != m && b.wanted(o) && b.in.models[m].size+b.in.models[o].size <= most {
			return false
		}
	}
	return true
}

// total is a sum of durations.
func total(all []time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, d := range all {
		sum += d
	}
	return sum
}

// start is the earliest s of a card, by itself.
func (b *bounds) start(w int) time.Duration {
	return max(b.in.cards[w].joins+b.first[w], b.begins())
}

// ends is e of a card.
func (b *bounds) ends(w int, t time.Duration) time.Duration { return min(b.in.cards[w].until(), t) }

// possible tells whether a schedule that ends at t fails none of the tests.
func (b *bounds) possible(t time.Duration) bool {
	return b.work(t) && b.lateWork(t) && b.loads(t) && b.whole(t)
}

func (b *bounds) work(t time.Duration) bool { return b.room(t) >= total(b.sorted) }

// room is for how long cards can run tasks until t, after their starts.
func (b *bounds) room(t time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, h := range b.order {
		alone, shared, ends := time.Duration(0), time.Duration(0), []time.Duration{}
		for _, w := range b.hosts[h] {
			ends = append(ends, b.ends(w, t))
			alone += max(0, b.ends(w, t)-b.start(w))
		}
		slices.SortFunc(ends, func(x, y time.Duration) int { return int(y - x) })
		for k, q := range b.starts[h] {
			shared += max(0, ends[k]-q)
		}
		sum += min(alone, shared)
	}
	return sum
}

func (b *bounds) lateWork(t time.Duration) bool {
	for _, l := range b.late {
		if b.present(l.at, t) < l.work {
			return false
		}
	}
	return true
}

// present is for how long cards are there from one instant to another.
func (b *bounds) present(from, to time.Duration) time.Duration {
	sum := time.Duration(0)
	for w := range b.in.cards {
		sum += max(0, b.ends(w, to)-max(b.in.cards[w].joins, from))
	}
	return sum
}

func (b *bounds) loads(t time.Duration) bool {
	work := total(b.sorted)
	further := b.lambda[min(len(b.lambda), len(b.in.cards)):]
	return b.present(0, t) >= work+total(b.lambda) && b.room(t) >= work+total(further)
}

// whole asks for enough room for whole tasks.
func (b *bounds) whole(t time.Duration) bool {
	for k, p := range b.sorted {
		fits := time.Duration(0)
		for _, h := range b.order {
			fits += b.wholeOn(h, t, p)
		}
		if fits < time.Duration(k+1) {
			return false
		}
	}
	return true
}

func (b *bounds) wholeOn(h int, t, p time.Duration) time.Duration {
	alone, shared := time.Duration(0), time.Duration(0)
	for i, w := range b.hosts[h] {
		alone += max(0, b.ends(w, t)-b.start(w)) / p
		shared += max(0, t-b.starts[h][i]) / p
	}
	if b.dies {
		return alone
	}
	return min(alone, shared)
}

// floor is what does not depend on T: the longest tasks on one card, and each
// task alone.
func (b *bounds) floor() time.Duration {
	least, first := time.Duration(0), never
	for w := range b.in.cards {
		first = min(first, b.start(w))
	}
	for q := 0; q*len(b.in.cards) < len(b.sorted); q++ {
		k := q*len(b.in.cards) + 1
		least = max(least, first+total(b.sorted[k-q-1:k]))
	}
	for i := range b.in.tasks {
		least = max(least, b.alone(&b.in.tasks[i]))
	}
	return least
}

func (b *bounds) alone(t *task) time.Duration {
	least := never
	for w := range b.in.cards {
		c := &b.in.cards[w]
		ends := max(t.at, c.joins+c.loads[t.model]) + t.takes
		if b.in.models[t.model].size <= c.size && ends <= c.until() {
			least = min(least, ends)
		}
	}
	return least
}
