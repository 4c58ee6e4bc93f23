package sched

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// However many kinds of tasks there are, one claim hands them out by rank.
func TestAClaimGoesByRankOverAllShapes(t *testing.T) {
	f := newFarm(t, Config{})
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		f.now = f.now.Add(time.Duration(random.IntN(40)) * time.Second)
		label := fmt.Sprintf("l%d", random.IntN(12))
		f.submit(cpu("s", items(1+random.IntN(4)), requires(label), priority(random.IntN(5)-2)))
		if i%5 == 0 {
			f.submit(cpu("t"))
		}
	}
	f.join("w1")
	w := f.s.workers["w1"]
	w.info.Slots = 50
	for i := range 12 {
		w.info.Labels = append(w.info.Labels, fmt.Sprintf("l%d", i))
	}
	var last *task
	for range 10 {
		for _, a := range f.claim("w1").Tasks {
			next := f.s.tasks.find(a.Task)
			if last != nil && next.before(last) {
				t.Fatalf("%s went after %s", next.id, last.id)
			}
			last = next
			f.hand("w1", done(a))
		}
	}
}
