package main

import (
	"bytes"
	"strings"
	"testing"
)

// Every scenario stays within its limit, and the same seed gives the same numbers.
func TestCandorStaysNearTheBound(t *testing.T) {
	once := func() string {
		var out, errs bytes.Buffer
		if code := run(nil, &out, &errs); code != 0 {
			t.Fatalf("exit %d: %s\n%s", code, errs.String(), out.String())
		}
		return out.String()
	}
	first := once()
	if again := once(); first != again {
		t.Errorf("two runs of one seed:\n%s\n%s", first, again)
	}
	for _, name := range names() {
		if !strings.Contains(first, name+": ") {
			t.Errorf("nothing is told of %s", name)
		}
	}
}

// The account of every card adds up to the time for which it was there.
func TestTheTimeOfCardsAddsUp(t *testing.T) {
	for _, sc := range scenarios() {
		in := sc.draw(3)
		for _, p := range policies() {
			r, err := play(p, in, nil)
			if err != nil {
				t.Fatalf("%s, %s: %v", sc.name, p, err)
			}
			for _, g := range r.gpus {
				if want := min(r.end, g.spec.until()) - g.spec.joins; g.account.sum() != max(want, 0) {
					t.Errorf("%s, %s: card %d accounts for %s of %s", sc.name, p, g.index, g.account.sum(), want)
				}
			}
		}
	}
}

func TestWrongUsageIsRefused(t *testing.T) {
	for _, args := range [][]string{{"-seeds", "0"}, {"-only", "other"}, {"more"}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code == 0 || out.Len() > 0 || errs.Len() == 0 {
			t.Fatalf("%v: exit %d, %q", args, code, out.String())
		}
	}
}
