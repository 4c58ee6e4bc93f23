package record

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sentences are the console's lines without their brackets.
func sentences(out *bytes.Buffer) []string {
	var list []string
	for line := range strings.Lines(out.String()) {
		_, s, _ := strings.Cut(strings.TrimSpace(line), "] [w] ")
		list = append(list, s)
	}
	return list
}

// folding runs fn on a verbose console in virtual time.
func folding(t *testing.T, fn func(l *Log, log *slog.Logger)) []string {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Options{Component: "w", Console: &out, Level: slog.LevelDebug})
		fn(l, l.Logger())
		closeLog(t, l)
	})
	return sentences(&out)
}

func TestRepeatsAreFoldedAndChangesShown(t *testing.T) {
	got := folding(t, func(l *Log, log *slog.Logger) {
		nothing := func(n int) { log.Debug(fmt.Sprintf("No suitable tasks - Queue: [llm:%d]", n), Fold("claim")) }
		for range 8 {
			nothing(125)
			time.Sleep(5 * time.Second)
		}
		nothing(124)
		nothing(124)
		log.Info("Claimed", Fold("other"))
		log.Info("unmarked")
		log.Info("unmarked")
	})
	want := []string{
		"No suitable tasks - Queue: [llm:125]",
		"No suitable tasks - Queue: [llm:125] (same for 35s, 8 times) repeat_ms=35000",
		"No suitable tasks - Queue: [llm:124]",
		"Claimed",
		"unmarked",
		"unmarked",
		"No suitable tasks - Queue: [llm:124] (same for 0s, 2 times) repeat_ms=0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFoldIsToldEveryPeriodAndForgottenWhenIdle(t *testing.T) {
	var after []string
	got := folding(t, func(l *Log, log *slog.Logger) {
		beat := func(idle int) {
			log.Debug(fmt.Sprintf("Heartbeat sent - status: idle, idle: %ds", idle), FoldOn("heartbeat", "idle"))
		}
		beat(0)
		time.Sleep(5 * time.Second) // keeps the beats off the ends of the periods
		for i := range 12 {
			beat(10*i + 5)
			time.Sleep(10 * time.Second)
		}
		time.Sleep(10 * time.Minute)
		l.mu.Lock()
		n := len(l.folds.byKey) + l.folds.queue.Len()
		l.mu.Unlock()
		if n != 0 {
			after = append(after, fmt.Sprintf("%d folds kept while idle", n))
		}
		beat(0)
	})
	want := []string{
		"Heartbeat sent - status: idle, idle: 0s",
		"Heartbeat sent - status: idle, idle: 55s (same for 55s, 7 times) repeat_ms=55000",
		"Heartbeat sent - status: idle, idle: 115s (same for 1m55s, 13 times) repeat_ms=115000",
		"Heartbeat sent - status: idle, idle: 0s",
	}
	if diff := cmp.Diff(append(want, after...), got); diff != "" {
		t.Error(diff)
	}
}

// What folds held back at the end is told in order, and no line is older than
// the one before it.
func TestLinesAreInTheOrderOfTheirTimes(t *testing.T) {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Options{Component: "w", Console: &out, Level: slog.LevelDebug})
		log := l.Logger()
		say := func(s string) { log.Debug(s, Fold(s)); time.Sleep(time.Second) }
		for _, s := range []string{"a", "b", "c", "c", "b", "a", "b"} {
			say(s)
		}
		log.Info("the end")
		closeLog(t, l)
	})
	got := sentences(&out)
	want := []string{
		"a", "b", "c", "the end",
		"c (same for 1s, 2 times, last 4s ago) repeat_ms=1000",
		"a (same for 5s, 2 times, last 2s ago) repeat_ms=5000",
		"b (same for 5s, 3 times, last 1s ago) repeat_ms=5000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	last := ""
	for line := range strings.Lines(out.String()) {
		stamp, _, _ := strings.Cut(line, "]")
		if stamp < last {
			t.Errorf("%s] after %s]", stamp, last)
		}
		last = stamp
	}
}

func TestFoldsOfDifferentKeysComponentsAndCodesAreApart(t *testing.T) {
	got := folding(t, func(l *Log, log *slog.Logger) {
		log.Info("x", Fold("a"))
		log.Info("x", Fold("b"))
		log.Info("x", KeyCode, "c", Fold("a"))
		log.With(KeyCode, "d").Info("x", Fold("a"))
		log.With(Fold("a"), KeyCode, "d").Info("x")
	})
	want := []string{"x", "x", "x code=c", "x code=d", "x (same for 0s, 2 times) code=d repeat_ms=0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRingHasEveryRepeat(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Component: "w", Ring: dir})
	for range 5 {
		l.Logger().Debug("same", Fold("k"))
	}
	closeLog(t, l)
	if n := len(ringMessages(t, dir)); n != 5 {
		t.Errorf("%d records in the ring, want 5", n)
	}
}

func TestFoldsAreBounded(t *testing.T) {
	got := folding(t, func(l *Log, log *slog.Logger) {
		log.Info("first", Fold("first"))
		log.Info("first", Fold("first"))
		for i := range maxFolds {
			log.Info("x", Fold(fmt.Sprint(i)))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if n := l.folds.queue.Len(); n != maxFolds {
			t.Errorf("%d folds", n)
		}
	})
	if n := len(got); n != maxFolds+2 || !strings.HasPrefix(got[n-2], "first (same for") {
		t.Errorf("%d lines, last but one %q", n, got[n-2])
	}
}

func TestShortDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Microsecond: "2ms", 34 * time.Second: "34s", 5 * time.Minute: "5m", 20 * time.Minute: "20m",
		time.Hour: "1h", 10 * time.Hour: "10h", time.Hour + 3*time.Second: "1h0m3s", 90 * time.Minute: "1h30m",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
