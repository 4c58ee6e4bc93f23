package worker

import (
	"strings"
	"testing"
	"unicode/utf8"

	"candor"
)

func TestLastLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		" \n\n":                        "",
		"one":                          "one",
		"one\ntwo\n":                   "two",
		"one\n  two \n\n \n":           "two",
		strings.Repeat("x", 200):       strings.Repeat("x", 200),
		"a" + strings.Repeat("ö", 100): "a" + strings.Repeat("ö", 99) + "…",
	} {
		if got := lastLine(text); got != want || !utf8.ValidString(got) {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}

// The reason of an order to end may be held by others, and stays as it is.
func TestSayLastLeavesOthersReasonsAlone(t *testing.T) {
	shared := candor.NewReason(candor.ReasonTimeout, "ran longer than its timeout of 1m").With("timeout", "1m")
	r := candor.Result{Outcome: candor.AttemptTimeout, Reason: shared, Tail: "page 7\n"}
	sayLast(&r)
	if r.Reason.Text != "ran longer than its timeout of 1m; it printed at last: page 7" || r.Reason.Operands["last_line"] != "page 7" || r.Reason.Operands["timeout"] != "1m" {
		t.Errorf("%+v", r.Reason)
	}
	if shared.Text != "ran longer than its timeout of 1m" || len(shared.Operands) != 1 {
		t.Errorf("what others hold became %+v", shared)
	}
	aborted := candor.Result{Outcome: candor.AttemptAborted, Reason: candor.NewReason(candor.ReasonCancelled, "cancelled by ann"), Tail: "page 7\n"}
	sayLast(&aborted)
	if aborted.Reason.Text != "cancelled by ann" {
		t.Errorf("%+v", aborted.Reason)
	}
}
