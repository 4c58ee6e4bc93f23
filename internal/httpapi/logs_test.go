package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"candor"
)

// logPath is where the third task, whose second attempt is its last, prints to.
func (r *rig) logPath(attempt int) string {
	return filepath.Join("attempts", theBatch.String(), (theTask + 2).String(), strconv.Itoa(attempt), "log")
}

func TestLogIsReadWhole(t *testing.T) {
	r := start(t, "", nil)
	write(t, r.state, r.logPath(1), "first attempt\n", 0o600)
	write(t, r.state, r.logPath(2), "0123456789", 0o600)
	c := r.client(t, "")
	for _, tc := range []struct {
		q      candor.LogQuery
		want   string
		offset int64
	}{
		{candor.LogQuery{}, "0123456789", 0},
		{candor.LogQuery{Attempt: 1}, "first attempt\n", 0},
		{candor.LogQuery{Offset: 7}, "789", 7},
		{candor.LogQuery{Offset: -2}, "89", 8},
		{candor.LogQuery{Offset: -99}, "0123456789", 0},
		{candor.LogQuery{Offset: 99}, "", 99},
		{candor.LogQuery{Follow: true}, "0123456789", 0}, // it has ended: nothing to follow
	} {
		log, info, err := c.Log(t.Context(), (theTask + 2).String(), tc.q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(log)
		if err := errors.Join(err, log.Close()); err != nil || string(got) != tc.want || info.Offset != tc.offset || info.Running || info.Task != theTask+2 {
			t.Errorf("%+v: %q, %+v, %v; want %q at %d", tc.q, got, info, err, tc.want, tc.offset)
		}
	}
}

func TestLogTakesRanges(t *testing.T) {
	r := start(t, "", nil)
	write(t, r.state, r.logPath(2), "0123456789", 0o600)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/v1/tasks/"+(theTask+2).String()+"/log", nil)
	req.Header.Set("Range", "bytes=2-4")
	resp := do(t, req)
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusPartialContent || string(got) != "234" {
		t.Errorf("status %d, %q, %v", resp.StatusCode, got, err)
	}
}

func TestLogIsFollowedToItsLastWord(t *testing.T) {
	r := start(t, "", nil)
	path := write(t, r.state, r.logPath(2), "one\n", 0o600)
	r.shelf.change(2, func(t *candor.Task) { t.State = candor.TaskProcessing })
	log, info, err := r.client(t, "").Log(t.Context(), (theTask + 2).String(), candor.LogQuery{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	if !info.Running {
		t.Error("the attempt is not told as running")
	}
	buf := make([]byte, len("one\n"))
	if _, err := io.ReadFull(log, buf); err != nil || string(buf) != "one\n" {
		t.Fatalf("%q, %v", buf, err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("two\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(log, buf); err != nil || string(buf) != "two\n" {
		t.Fatalf("%q, %v", buf, err)
	}
	if _, err := f.WriteString("last word"); err != nil {
		t.Fatal(err)
	}
	r.shelf.change(2, func(t *candor.Task) { t.State = candor.TaskComplete })
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(log)
	if err != nil || string(rest) != "last word" {
		t.Errorf("%q, %v", rest, err)
	}
}

// A log cut off by the brain's end is an error, not an end.
func TestCutLogIsNoEnd(t *testing.T) {
	r := start(t, "", nil)
	write(t, r.state, r.logPath(2), "one\n", 0o600)
	r.shelf.change(2, func(t *candor.Task) { t.State = candor.TaskProcessing })
	log, _, err := r.client(t, "").Log(t.Context(), (theTask + 2).String(), candor.LogQuery{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	if _, err := io.ReadFull(log, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	r.stop()
	_, err = io.ReadAll(log)
	wantCode(t, err, candor.CodeUnavailable)
}

func TestLogElsewhereSaysWhere(t *testing.T) {
	r := start(t, "", nil)
	r.shelf.tries = []candor.Attempt{{Number: 2, Worker: "worker-1", Dir: "/var/lib/candor/attempts/x", Tail: "no such file"}}
	_, _, err := r.client(t, "").Log(t.Context(), (theTask + 2).String(), candor.LogQuery{})
	wantCode(t, err, candor.CodeNotFound)
	e, _ := errors.AsType[*candor.Error](err)
	if e == nil || e.Hint != "it ran on worker-1, host rig, in /var/lib/candor/attempts/x" || e.Detail["tail"] != "no such file" {
		t.Errorf("error is %+v", e)
	}
	for attempt, want := range map[int]string{3: "has no attempt 3", 1: "is not on the brain's host"} {
		_, _, err = r.client(t, "").Log(t.Context(), (theTask + 2).String(), candor.LogQuery{Attempt: attempt})
		wantCode(t, err, candor.CodeNotFound)
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, _, err = r.client(t, "").Log(t.Context(), (theTask + 1).String(), candor.LogQuery{})
	wantCode(t, err, candor.CodeNotFound)
}

// What asks a model itself prints nothing: who looks for its log is told how the
// attempt ended, and where its rows are.
func TestAPromptHasNoLog(t *testing.T) {
	r := start(t, "", nil)
	r.shelf.steps = []candor.StepView{{Name: "other"}, {Name: "count", Class: candor.ClassLLM, Asks: true}}
	r.shelf.tries = []candor.Attempt{
		{Number: 1, Worker: "worker-1", Rows: &candor.RowTotals{Rows: 3, Failed: 1, First: "off schema"}},
		{Number: 2, Worker: "worker-1", Reason: candor.NewReason(candor.ReasonAnswerTruncated, "the prompt does not fit")},
	}
	id := theTask + 2
	for attempt, want := range map[int]string{1: "the first of its rows that failed: off schema", 2: "it ended with: the prompt does not fit"} {
		_, _, err := r.client(t, "").Log(t.Context(), id.String(), candor.LogQuery{Attempt: attempt})
		wantCode(t, err, candor.CodeNotFound)
		e, _ := errors.AsType[*candor.Error](err)
		if text := fmt.Sprintf("%s asks a model itself and prints nothing, so attempt %d has no log; %s", id, attempt, want); e == nil || e.Message != text {
			t.Errorf("%v, want %q", err, text)
		}
		if e != nil && !strings.HasPrefix(e.Hint, "candor show "+id.String()+" shows its rows") {
			t.Errorf("hint %q", e.Hint)
		}
	}
}

// A worker's directory is untrusted: a link in it must not lead out.
func TestLogLeavesTheStateDirectoryNowhere(t *testing.T) {
	r := start(t, "", nil)
	secret := write(t, t.TempDir(), "secret", "secret", 0o600)
	path := filepath.Join(r.state, r.logPath(2))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, path); err != nil {
		t.Fatal(err)
	}
	_, _, err := r.client(t, "").Log(t.Context(), (theTask + 2).String(), candor.LogQuery{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the link was followed, or told: %v", err)
	}
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.client(t, "").Log(t.Context(), (theTask + 2).String(), candor.LogQuery{})
	wantCode(t, err, candor.CodeNotFound)
}
