package sched

import (
	"fmt"
	"testing"
	"time"

	"candor"
)

// TestManyStepsAreQuick: a plan of many steps that need each other costs the
// loop by their number, not by its square.
func TestManyStepsAreQuick(t *testing.T) {
	f := newFarm(t, Config{})
	const n = 10_000
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
	quick := func(what string, do func()) {
		t.Helper()
		begun := time.Now()
		do()
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%s took %s", what, took)
		}
	}
	var reply candor.SubmitReply
	quick("submitting", func() { reply = f.submit(steps...) })
	f.join("w")
	first := f.take("w")
	quick("giving up what needs a failed task", func() { f.hand("w", ended(first, candor.AttemptPermanent, candor.ReasonExitCode, "no")) })
	quick("retrying", func() { f.do(Retry{change(reply.Batch.String())}) })
	if b := f.s.batches[reply.Batch]; b.counts[blocked] != n-1 || b.counts[queued] != 1 {
		t.Errorf("after the retry: %v", b.counts)
	}
}
