package modelhost

// bearing is how many requests the server bears at once: it halves when the
// server says that it is busy, and grows by one for each round that it serves.
type bearing struct {
	most    int     // never more
	bears   float64 // from 1 to most
	lent    int
	round   int // rises when bears falls: what was lent before says no more
	overlap overlap
}

func newBearing(most int) bearing { return bearing{most: most, bears: float64(most)} }

func (b *bearing) slots() int { return max(1, int(b.bears)) }

func (b *bearing) free() bool { return b.lent < b.slots() }

// lend takes a slot and returns the round it was lent in.
func (b *bearing) lend() int {
	b.lent++
	return b.round
}

// back gives a slot back. It reports whether slots has changed.
func (b *bearing) back(round int, outcome Outcome) bool {
	was := b.slots()
	switch {
	case outcome == Busy && round == b.round:
		b.bears = max(1, min(b.bears, float64(b.lent))/2)
		b.round++
	case outcome == Served:
		b.bears = min(float64(b.most), b.bears+1/b.bears)
	}
	b.lent--
	return b.slots() != was
}

// take is how many attempts a worker does well to hold: what is served at once,
// and half as many to follow without a pause.
func (b *bearing) take() int { return b.slots() + (b.slots()+1)/2 }
