package cli

import (
	"fmt"
	"sync"
	"time"

	"candor/internal/config"
	"candor/internal/process"
	"candor/internal/store/sqlite"
)

// hearQuiet tells a person, once, why a call has no answer yet, as far as this machine
// can see: the process that leads the state may be stopped.
func (a *app) hearQuiet(cfg *config.Loaded, url string) func(time.Duration) {
	var once sync.Once
	return func(d time.Duration) {
		once.Do(func() {
			what := "the brain at " + url
			if pid := leaderOf(cfg, url); pid != 0 {
				if stopped(pid) {
					a.talk("%s; waiting for it", sayStopped(pid))
					return
				}
				what = fmt.Sprintf("the brain (pid %d)", pid)
			}
			a.talk("%s has not answered for %s: candor status says what it does; waiting", what, d)
		})
	}
}

// leaderOf is the process that leads the state of a brain on this machine, 0 if
// the brain is elsewhere or none leads.
func leaderOf(cfg *config.Loaded, url string) int {
	if url != cfg.Socket {
		return 0
	}
	return sqlite.LeaderPID(string(cfg.State))
}

func stopped(pid int) bool { return process.ProcState(pid).State == process.Stopped }

func sayStopped(pid int) string {
	return fmt.Sprintf("the brain is stopped, not dead (pid %d, SIGSTOP): kill -CONT %d wakes it", pid, pid)
}
