package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"candor"
)

// TestAQuestionIsHeldUntilTheEnd: not until its wait is over, and not for events
// of others.
func TestAQuestionIsHeldUntilTheEnd(t *testing.T) {
	r := start(t, "", nil)
	c := r.client(t, "")
	commit(r.brain, r.shelf, eventsOf(1, 3)...)
	queued := theTask + 1
	type answer struct {
		task candor.Task
		err  error
	}
	held := make(chan answer, 1)
	go func() {
		task, err := c.AwaitTask(t.Context(), queued, time.Minute)
		held <- answer{task, err}
	}()
	early := func(what string) {
		t.Helper()
		select {
		case a := <-held:
			t.Fatalf("answered when %s: %+v", what, a)
		case <-time.After(100 * time.Millisecond):
		}
	}
	early("nothing had happened")
	commit(r.brain, r.shelf, candor.Event{Seq: 4, Code: candor.EventTaskComplete, Task: theTask + 2})
	early("another task ended")
	r.shelf.change(1, func(task *candor.Task) { task.State = candor.TaskProcessing })
	commit(r.brain, r.shelf, candor.Event{Seq: 5, Code: candor.EventTaskClaimed, Task: queued})
	early("it was claimed")
	r.shelf.change(1, func(task *candor.Task) { task.State = candor.TaskComplete })
	commit(r.brain, r.shelf, candor.Event{Seq: 6, Code: candor.EventTaskComplete, Task: queued})
	if a := <-held; a.err != nil || a.task.State != candor.TaskComplete {
		t.Errorf("%+v", a)
	}
	if task, err := c.AwaitTask(t.Context(), queued, time.Minute); err != nil || task.State != candor.TaskComplete {
		t.Errorf("one that has ended: %+v %v", task, err)
	}
}

// TestAHeldQuestionWhoseEventIsForgotten looks again.
func TestAHeldQuestionWhoseEventIsForgotten(t *testing.T) {
	r := start(t, "", nil)
	c := r.client(t, "")
	r.shelf.record(eventsOf(1, 3)...) // the window has them not yet, and then no more
	r.shelf.change(1, func(task *candor.Task) { task.State = candor.TaskProcessing })
	held := make(chan candor.Task, 1)
	go func() {
		task, err := c.AwaitTask(t.Context(), theTask+1, time.Minute)
		if err != nil {
			t.Error(err)
		}
		held <- task
	}()
	<-r.brain.waits
	r.shelf.change(1, func(task *candor.Task) { task.State = candor.TaskFailed })
	r.brain.forget(9)
	r.brain.tell(eventsOf(10, 10)...)
	if task := <-held; task.State != candor.TaskFailed {
		t.Errorf("%+v", task)
	}
}

// TestAHeldQuestionMayTakeItsWait, and is then answered by how things stand.
func TestAHeldQuestionMayTakeItsWait(t *testing.T) {
	r := start(t, "", nil)
	c := r.client(t, "")
	began := time.Now()
	b, err := c.AwaitBatch(t.Context(), theBatch, 200*time.Millisecond)
	if err != nil || b.State != candor.BatchActive {
		t.Errorf("%+v %v", b, err)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("it was held for %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.AwaitBatch(ctx, theBatch, time.Minute); candor.CodeOf(err) != candor.CodeTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
	if _, err := c.AwaitTask(t.Context(), theTask+99, time.Minute); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("no such task: %v", err)
	}
	for _, wait := range []string{"soon", "-1s", "2h"} {
		resp, err := http.Get(r.url + "/v1/batches/" + theBatch.String() + "?wait=" + wait)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "not a duration up to 1m0s") {
			t.Errorf("wait=%s: %s %s", wait, resp.Status, text)
		}
	}
}

// TestAHeldQuestionOfABrainThatStops is answered by how things stood, or by a
// broken line: never by an error of the brain's own, which would end the wait.
func TestAHeldQuestionOfABrainThatStops(t *testing.T) {
	r := start(t, "", nil)
	c := r.client(t, "")
	held := make(chan error, 1)
	go func() {
		_, err := c.AwaitBatch(t.Context(), theBatch, time.Minute)
		held <- err
	}()
	<-r.brain.waits
	r.stop()
	if err := <-held; err != nil && candor.CodeOf(err) != candor.CodeUnavailable {
		t.Error(err)
	}
}
