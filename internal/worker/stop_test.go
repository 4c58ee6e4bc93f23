//go:build linux || darwin

package worker

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/process"
)

// Fault F20: a panic in the main loop.
func TestACrashIsToldAndLeavesNothing(t *testing.T) {
	b := newBrain()
	claims := 0
	pids := ""
	f := start(t, b, func(o *Options) {
		pids = filepath.Join(o.StateDir, "pids")
		o.OnPoint = func(point string) {
			if point != "claim" {
				return
			}
			if claims++; claims == 2 {
				appears(t, pids)
				panic("KeyError('model_name')")
			}
		}
	})
	lease := b.add(spec(f.dir, run("echo $$ > "+pids+"; sleep 600")), -1, "")
	err := f.over()
	if candor.CodeOf(err) != candor.CodeInternal || !strings.Contains(err.Error(), "worker worker-1 crashed in main loop: KeyError('model_name')") {
		t.Errorf("err %v", err)
	}
	f.log.wait(t, "ERROR Worker worker-1 crashed in main loop: KeyError('model_name')")
	f.log.wait(t, "INFO Worker worker-1 shutting down - completed 0 tasks, failed 0")
	if len(f.log.stacks) != 1 || !strings.Contains(f.log.stacks[0], "TestACrashIsToldAndLeavesNothing") {
		t.Errorf("stacks %v", f.log.stacks)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(read(t, pids)))
	if process.ProcState(pid).State.Alive() {
		t.Error("its attempt lives")
	}
	if r := b.result(t, lease); r.Outcome != candor.AttemptLost || r.Reason.Code != candor.ReasonWorkerDied {
		t.Errorf("result %+v", r)
	}
	if len(b.leaves) != 1 || b.leaves[0].Crash != "KeyError('model_name')" {
		t.Errorf("left with %+v", b.leaves)
	}
}

func TestAPanicBesideTheMainLoopIsACrashToo(t *testing.T) {
	for _, where := range []string{"attempt", "report"} {
		t.Run(where, func(t *testing.T) {
			b := newBrain()
			f := start(t, b, func(o *Options) {
				o.OnPoint = func(point string) {
					if point == where {
						panic("boom")
					}
				}
			})
			b.add(spec(f.dir, run("sleep 600")), -1, "")
			if err := f.over(); candor.CodeOf(err) != candor.CodeInternal || !strings.Contains(err.Error(), "boom") {
				t.Errorf("err %v", err)
			}
			f.log.wait(t, "ERROR Worker worker-1 crashed in "+where)
			empty(t, process.LeaseDir(f.dir, "worker-1"))
		})
	}
}

// Fault F08: the reporter tells of a main loop that does nothing any more.
func TestTheReporterNeverWaitsForTheMainLoop(t *testing.T) {
	b := newBrain()
	release := make(chan struct{})
	start(t, b, func(o *Options) {
		o.OnPoint = func(point string) {
			if point == "claim" {
				<-release
			}
		}
	})
	defer close(release)
	h := b.beat(t, "of a blocked loop", func(h candor.HeartbeatRequest) bool {
		return h.Doing == "claiming" && h.Since.D() > 120*time.Millisecond
	})
	if h.Idle.D() < h.Since.D() {
		t.Errorf("idle %s, claiming for %s", h.Idle, h.Since)
	}
}

func TestTheFirstWordDrainsAndTheSecondInterrupts(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	gate := filepath.Join(f.dir, "gate")
	short := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up1; while [ ! -e `+gate+` ]; do sleep 0.02; done`)), -1, "")
	long := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up2; sleep 600`)), -1, "")
	appears(t, filepath.Join(f.dir, "up1"))
	appears(t, filepath.Join(f.dir, "up2"))
	f.stop <- "TERM"
	f.log.wait(t, "INFO Worker worker-1 received shutdown signal (TERM); 2 attempts may end within 30s")
	never := b.add(spec(f.dir, run("true")), -1, "")
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.result(t, short); r.Outcome != candor.AttemptDone {
		t.Errorf("the short one: %+v", r)
	}
	f.stop <- "INT"
	r := b.result(t, long)
	if r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonShutdown {
		t.Errorf("the long one: %+v", r)
	}
	if err := f.over(); err != nil {
		t.Error(err)
	}
	if len(b.leaves) != 1 || b.leaves[0].Completed != 1 || b.leaves[0].Failed != 0 || b.leaves[0].Why != "TERM" {
		t.Errorf("left with %+v", b.leaves)
	}
	if len(b.results[never]) > 0 {
		t.Error("something new was started")
	}
}

func TestGraceOfADrainEnds(t *testing.T) {
	b := newBrain()
	f := start(t, b, func(o *Options) { o.Grace = 100 * time.Millisecond })
	lease := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up; sleep 600`)), -1, "")
	appears(t, filepath.Join(f.dir, "up"))
	f.stop <- "TERM"
	if r := b.result(t, lease); r.Reason.Code != candor.ReasonShutdown {
		t.Errorf("result %+v", r)
	}
	if err := f.over(); err != nil {
		t.Error(err)
	}
}
