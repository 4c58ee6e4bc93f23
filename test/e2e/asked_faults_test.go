//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"candor"
)

// swallowed is the status by which a gateway passes claims on only when it is
// told another one.
const swallowed = -1

// gateway is an HTTP proxy before a brain that answers claims itself while told to.
func gateway(t *testing.T, to string) (url1 string, status *atomic.Int64) {
	t.Helper()
	status = &atomic.Int64{}
	u, err := url.Parse("http://" + to)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(u)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/claim") {
			through.ServeHTTP(w, r)
			return
		}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for status.Load() == swallowed && r.Context().Err() == nil {
			<-tick.C
		}
		if code := int(status.Load()); code > 0 {
			http.Error(w, "upstream is unwell", code)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		status.Store(0)
		s.CloseClientConnections() // Close waits for what is held
		s.Close()
	})
	return s.URL, status
}

// TestF09: claims are answered with errors while all else passes. Asked within
// seconds, idle or with a result in hand, the worker is not idle for want of work:
// its calls are counted, since when, and what they met; nothing repeats.
func TestF09ClaimErrorsInALoop(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"heartbeat.asking": "3s"})
	f.brain("--listen", "127.0.0.1:0")
	at, status := gateway(t, f.listening())
	f.work("worker-1", "--brain", at)
	id := f.submit("gated", `
		long: {run: "`+f.gated("go")+`"}
	`)
	task := f.started(id, "long", 1)
	status.Store(500)
	f.write("go", "")
	f.until("its result does not come", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonCallsFail })
	f.saysWhy("worker-1", candor.ReasonCallsFail, candor.MoverOperator, "answered internal since", "500", "it holds 1 task")
	f.saysWhy(task.ID.String(), candor.ReasonCallsFail, candor.MoverOperator, "long has ended on worker-1", "answered internal since")
	status.Store(0)
	f.ends(id)
	f.until("its calls are answered", func() bool { return f.why("worker-1").Reason.Code != candor.ReasonCallsFail })

	status.Store(503)
	begun := time.Now()
	f.candor("pause", "class:cpu").ok() // the held claim is let go; nothing else is
	f.candor("resume", "class:cpu").ok()
	next := f.submit("next", `
		a: {run: "true"}
	`)
	// A claim that the brain held before gets this one; its result stays.
	f.within(20*time.Second, "the worker is named", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonCallsFail })
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("that took %s", took)
	}
	last := f.submit("last", `
		a: {run: "true"}
	`)
	f.saysWhy("worker-1", candor.ReasonCallsFail, candor.MoverOperator, "is alive", "answered unavailable since", "503")
	f.saysWhy(f.task(last, "a").ID.String(), candor.ReasonCallsFail, candor.MoverOperator, "worker-1", "answered unavailable since")
	f.until("it is told", func() bool { return len(f.events(candor.EventWorkerNotAsking)) > 0 })
	status.Store(0)
	f.ends(next)
	f.ends(last)
	f.until("it is forgotten", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonIdleNoWork })
	f.once(candor.EventWorkerJoined, "worker-1")
	if n := len(f.log("worker-1")); n > 500 {
		t.Errorf("the worker's log has %d lines", n)
	}
}

// TestF22Asked: a frozen worker is told from an idle one as soon as its supervisor
// sees it, long before its silence would count.
func TestF22FrozenWorkerAsked(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"heartbeat.lost": "60s", "lease": "90s"})
	f.up(1)
	pid := f.worker("worker-1").PID
	kill(t, pid, syscall.SIGSTOP)
	f.until("the supervisor sees it", func() bool { return len(f.events(candor.EventWorkerStopped)) == 1 })
	id := f.submit("one", `
		a: {run: "true"}
	`)
	word := fmt.Sprintf("its process %d is stopped", pid)
	f.saysWhy("worker-1", candor.ReasonFrozen, candor.MoverOperator, word)
	x := f.saysWhy(f.task(id, "a").ID.String(), candor.ReasonFrozen, candor.MoverOperator, "worker-1", word)
	if want := fmt.Sprintf("kill -CONT %d", pid); x.Reason.Next != want {
		t.Errorf("next is %q, want %q", x.Reason.Next, want)
	}
	kill(t, pid, syscall.SIGCONT)
	f.ends(id)
}

// TestF25Asked: jobs that spin, sleep or stand, without a limit set: what was seen
// of each is said, and of one that is stopped what wakes it.
func TestF25HungJobsAsked(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	f.work("worker-1", "--slots", "3")
	id := f.submit("hung", `
		sleeps: {run: "exec sleep 3252"}
		spins: {run: "while [ ! -e `+f.dir+`/go ]; do :; done"}
		stands: {run: "kill -STOP $$"}
	`)
	f.until("they are seen", func() bool {
		w := f.worker("worker-1")
		n := 0
		for _, r := range w.Running {
			if p := r.Progress; p != nil && p.PID > 0 && (p.State == "stopped" || p.CPU > candor.Duration(300*time.Millisecond) || p.State == "sleeping") {
				n++
			}
		}
		return n == 3
	})
	f.saysWhy(f.task(id, "sleeps").ID.String(), candor.ReasonRunning, candor.MoverWait, "nothing printed, written or reported since it started", "is sleeping")
	f.saysWhy(f.task(id, "spins").ID.String(), candor.ReasonRunning, candor.MoverWait, "nothing printed, written or reported since it started", "of CPU time used", "is running")
	x := f.saysWhy(f.task(id, "stands").ID.String(), candor.ReasonStuck, candor.MoverOperator, "is stopped")
	if pid := x.Task.Progress.PID; x.Reason.Next != fmt.Sprintf("kill -CONT %d", pid) {
		t.Errorf("next %q, its process is %d", x.Reason.Next, pid)
	}
	f.saysWhy("worker-1", candor.ReasonStuck, candor.MoverOperator, "nothing moves in 1 of them: stands")
	f.candor("cancel", id.String()).ok()
	f.ends(id)
}

// TestF21Asked: while a killed worker waits for its restart, it and what waits for
// it say how it ended, which process that was, and that its supervisor acts, by when.
func TestF21KilledWorkerAsked(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"supervise.backoff": "15s", "supervise.backoff_max": "15s"})
	f.up(1)
	pid := f.worker("worker-1").PID
	kill(t, pid, syscall.SIGKILL)
	f.until("the brain knows of its death", func() bool { return f.worker("worker-1").State == candor.WorkerGone })
	id := f.submit("one", `
		a: {run: "true"}
	`)
	words := []string{"worker-1 ended (signal: KILL (9))", fmt.Sprintf("ago (pid %d)", pid), "its supervisor starts it again by"}
	f.saysWhy("worker-1", candor.ReasonWorkerGone, candor.MoverSystem, words...)
	f.saysWhy(f.task(id, "a").ID.String(), candor.ReasonNoWorkers, candor.MoverSystem, words...)
	f.ends(id)
}
