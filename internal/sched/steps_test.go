package sched

import (
	"fmt"
	"testing"

	"candor"
)

// A plan of many steps that need each other is submitted, given up and retried as
// a whole.
func TestManySteps(t *testing.T) { manySteps(t, 1000) }

// BenchmarkManySteps: that costs the loop by their number, not by its square.
func BenchmarkManySteps(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint("steps=", n), func(b *testing.B) {
			for b.Loop() {
				manySteps(&testing.T{}, n)
			}
		})
	}
}

func manySteps(t *testing.T, n int) {
	f := newFarm(t, Config{})
	steps := make([]candor.Step, 0, n)
	for i := range n {
		st := cpu(fmt.Sprint("step-", i))
		for _, back := range []int{1, 2, 3, n / 2} {
			if i >= back {
				st.Needs = append(st.Needs, candor.Need{Step: fmt.Sprint("step-", i-back)})
			}
		}
		steps = append(steps, st)
	}
	reply := f.submit(steps...)
	f.join("w")
	first := f.take("w")
	f.hand("w", ended(first, candor.AttemptPermanent, candor.ReasonExitCode, "no"))
	f.do(Retry{change(reply.Batch.String())})
	if b := f.s.batches[reply.Batch]; b.counts[blocked] != n-1 || b.counts[queued] != 1 {
		t.Errorf("after the retry: %v", b.counts)
	}
}
