package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// A small farm ends every task once, and the same seed gives the same run.
func TestASeedGivesOneRun(t *testing.T) {
	once := func() string {
		var out, errs bytes.Buffer
		if code := run([]string{"-tasks", "3000", "-workers", "40", "-seed", "7"}, &out, &errs); code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		return out.String()
	}
	measured := regexp.MustCompile(`(submit/s|decisions/s|attempts/s|bytes/task|wall)=\S+`)
	a, b := measured.ReplaceAllString(once(), ""), measured.ReplaceAllString(once(), "")
	if a != b {
		t.Fatalf("two runs:\n%s%s", a, b)
	}
	if !strings.Contains(a, "every task ended once") || !strings.Contains(a, "tasks=3001") {
		t.Fatal(a)
	}
}

func TestWrongUsageIsRefused(t *testing.T) {
	for _, args := range [][]string{{"-tasks", "1"}, {"-workers", "0"}, {"more"}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code == 0 || out.Len() > 0 || errs.Len() == 0 {
			t.Fatalf("%v: exit %d, %q", args, code, out.String())
		}
	}
}
