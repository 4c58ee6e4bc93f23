package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Both stores, whole: the program checks in the store that every job is done.
func TestMeasuresBothStoresAndLeavesNothingBehind(t *testing.T) {
	// Not t.TempDir: Postgres runs as another user when we are root, and that
	// folder's parent is closed to it.
	dir, err := os.MkdirTemp("", "river-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run([]string{"-n", "300", "-workers", "5", "-runs", "2", "-limit", "2m", "-dir", dir}, &stdout, &stderr)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	line := regexp.MustCompile(`^river-(postgres|sqlite) n=300 workers=5 enqueue/s=[1-9]\d* drain/s=[1-9]\d*( median of 2)?$`)
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if len(lines) != 6 {
		t.Errorf("%d lines, want 2 runs and a median for each store:\n%s", len(lines), stdout.String())
	}
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Errorf("line %q does not match %s", l, line)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	for _, args := range [][]string{{"-store", "mysql"}, {"-n", "0"}, {"-runs", "0"}, {"more"}, {"-nope"}} {
		var stdout, stderr bytes.Buffer
		if code := run(args, &stdout, &stderr); code != 2 || stderr.Len() == 0 || stdout.Len() > 0 {
			t.Errorf("%v: exit %d, stdout %q, stderr %q; want 2 and a message", args, code, stdout.String(), stderr.String())
		}
	}
}

func TestAFolderThatIsNotThereIsSaid(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-n", "1", "-store", "sqlite", "-dir", "no/such/folder"}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), "no/such/folder") {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

func TestMedianIsARateThatWasMeasured(t *testing.T) {
	drain := func(r result) float64 { return r.drain }
	for _, c := range []struct {
		rates []float64
		want  float64
	}{{[]float64{7}, 7}, {[]float64{9, 1}, 1}, {[]float64{9, 1, 5}, 5}} {
		var results []result
		for _, rate := range c.rates {
			results = append(results, result{drain: rate})
		}
		if got := median(results, drain); got != c.want {
			t.Errorf("median of %v = %v, want %v", c.rates, got, c.want)
		}
	}
}
