//go:build linux

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"candor"
)

// slowRoad stands before a brain and holds up the first answer to a claim that
// brings tasks; all else, heartbeats above all, gets through.
type slowRoad struct {
	url  string
	held chan struct{} // closed once it holds one
	free chan struct{} // closed: it lets it go
}

func newSlowRoad(t *testing.T, brain string) *slowRoad {
	t.Helper()
	s := &slowRoad{held: make(chan struct{}), free: make(chan struct{})}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: brain})
	first := make(chan struct{}, 1)
	proxy.ModifyResponse = func(r *http.Response) error {
		if !strings.HasSuffix(r.Request.URL.Path, "/claim") {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err != nil || !bytes.Contains(body, []byte(`"tasks"`)) {
			return err
		}
		select {
		case first <- struct{}{}:
			close(s.held)
			<-s.free
		default:
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// TestLateAnswer: the answer to a claim is held up on its way, while heartbeats
// get through. The task goes to somebody else, and the answer that comes in the
// end starts nothing.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain("--listen", "127.0.0.1:0")
	road := newSlowRoad(t, f.listening())
	f.work("worker-1", "--brain", road.url)
	id := f.submit("gated", `
		long: {run: "`+f.gated("go")+`", retries: 0}
	`)
	<-road.held
	f.work("worker-2")
	task := f.started(id, "long", 1)
	if task.Worker != "worker-2" || task.Attempt != 2 {
		t.Errorf("attempt %d runs on %s", task.Attempt, task.Worker)
	}
	close(road.free)
	f.logged("worker-1", 1, "Dropped 1 task: the claim's answer took ")
	f.ends(f.submit("after", `
		a: {run: "true"}
	`)) // worker-1 goes on
	f.write("go", "")
	f.ends(id)
	if done := f.task(id, "long"); done.State != candor.TaskComplete || done.Attempt != 2 || len(f.starts(task.ID)) != 1 {
		t.Errorf("in the end: %s after %d attempts, %d starts", done.State, done.Attempt, len(f.starts(task.ID)))
	}
	if n := len(f.events(candor.EventRunsTwice)); n > 0 {
		t.Errorf("%d times it is said that it may run twice", n)
	}
	f.once(candor.EventTaskRequeued, task.ID.String(), "worker-1 does not know of lease", "and will not start it")
}
