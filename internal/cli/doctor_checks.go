package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"candor"
	"candor/internal/config"
	"candor/internal/gpu"
	"candor/internal/process"
	"candor/internal/store/sqlite"
)

const (
	scarce    = candor.GiB      // free space below which a warning is due
	tooLittle = 64 * candor.MiB // free space below which a brain will refuse work soon

	probeTime = 2 * time.Second  // what a look over the network may take
	skewLimit = 10 * time.Second // clocks further apart make times hard to compare
)

// checkState looks at the state directory: can it be written, is there room, can
// it hold a store, who leads it.
func (a *app) checkState(dir string) []finding {
	const check = "state"
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		at := firstThere(dir)
		if err := writable(at); err != nil {
			return []finding{fail(check, "name another: --state DIR or $CANDOR_STATE_DIR", "%s cannot be made: %v", dir, err)}
		}
		return append([]finding{ok(check, "%s is not there yet; the first brain makes it", dir)}, place(at)...)
	}
	if err := writable(dir); err != nil {
		return []finding{fail(check, "chown it, or name another: --state DIR", "%s cannot be written: %v", dir, err)}
	}
	findings := append([]finding{ok(check, "%s can be written", dir)}, place(dir)...)
	who, err := sqlite.Leader(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		findings = append(findings, warn("lock", "look at the permissions of "+dir, "%v", err))
	case who != "":
		findings = append(findings, ok("lock", "the state is %s", who))
	}
	return findings
}

// firstThere is the nearest directory above that exists.
func firstThere(dir string) string {
	for {
		up := filepath.Dir(dir)
		if _, err := os.Stat(up); err == nil || up == dir {
			return up
		}
		dir = up
	}
}

func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".candor-doctor-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func place(dir string) []finding {
	const check = "disk"
	if err := sqlite.CheckPlace(dir); err != nil {
		return []finding{fail(check, cmp.Or(hintOf(err), "name a local directory: --state DIR"), "%v", err)}
	}
	free, err := freeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return []finding{warn(check, "look at the file system of "+dir, "free space cannot be read: %v", err)}
	case free < tooLittle:
		return []finding{fail(check, "make room, or name another: --state DIR", "only %s free at %s", free, dir)}
	case free < scarce:
		return []finding{warn(check, "make room, or lower retention.size", "only %s free at %s", free, dir)}
	default:
		return []finding{ok(check, "%s free", free)}
	}
}

// checkBrain asks the brain, and where none answers whether one could listen.
func (a *app) checkBrain(ctx context.Context, cfg *config.Loaded) []finding {
	const check = "brain"
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	c, err := a.clientAt(cfg, cfg.Brain.URL)
	if err != nil {
		return []finding{fail(check, cmp.Or(hintOf(err), "look at --brain and --token-file"), "%v", err)}
	}
	defer c.Close()
	st, err := c.Status(ctx)
	switch code := candor.CodeOf(err); {
	case err == nil:
		return a.brainAnswered(cfg, st)
	case code == candor.CodeUnauthorized || code == candor.CodeForbidden:
		return []finding{fail(check, cmp.Or(hintOf(err), "give a token: --token-file FILE"), "%v", err)}
	case code != candor.CodeUnavailable && code != candor.CodeTimeout:
		return []finding{fail(check, cmp.Or(hintOf(err), "look at the brain's log"), "%v", err)}
	}
	if pid := leaderOf(cfg, cfg.Brain.URL); pid != 0 && stopped(pid) {
		return []finding{fail(check, fmt.Sprintf("kill -CONT %d", pid), "%s", sayStopped(pid))}
	}
	if who, err := sqlite.Leader(string(cfg.State)); err == nil && who != "" {
		return []finding{fail(check, "look at its log in "+string(cfg.Log.Dir)+", or end it",
			"the state is %s, but no brain answers at %s", who, cfg.Brain.URL)}
	}
	return append([]finding{warn(check, "candor up, or candor run PLAN, which starts its own", "no brain answers at %s", cfg.Brain.URL)}, checkListen(ctx, cfg)...)
}

func (a *app) brainAnswered(cfg *config.Loaded, st candor.Status) []finding {
	findings := []finding{ok("brain", "pid %d, version %s, answers at %s; %d of %d workers alive", st.PID, st.Version, cfg.Brain.URL, st.Alive, st.Workers)}
	if st.Version != version() {
		findings = append(findings, warn("version", "restart the older one", "the brain is %s, this program %s", st.Version, version()))
	}
	if st.Trouble != "" {
		findings = append(findings, fail("store", "look at the brain's log", "%s", st.Trouble))
	}
	if skew := a.clk.Now().Sub(st.At).Abs(); skew > skewLimit {
		findings = append(findings, warn("clock", "set both by NTP: timedatectl set-ntp true", "the brain's clock differs by %s", candor.ShortDuration(skew)))
	}
	return findings
}

// checkListen tries the addresses where a brain would listen.
func checkListen(ctx context.Context, cfg *config.Loaded) []finding {
	const check = "listen"
	var findings []finding
	err := tryListen(ctx, cfg, func(address string, err error) {
		if err != nil {
			findings = append(findings, fail(check, cmp.Or(hintOf(err), "choose another: --listen"), "%v", err))
		} else {
			findings = append(findings, ok(check, "%s is free", address))
		}
	})
	if err != nil {
		return []finding{fail(check, cmp.Or(hintOf(err), "mend the tokens file"), "%v", err)}
	}
	return findings
}

func checkShell() finding {
	path, err := exec.LookPath("sh")
	if err != nil {
		return fail("shell", "install a POSIX shell, or write argv instead of run in plans", "no sh on PATH, which run: lines need")
	}
	return ok("shell", "%s", path)
}

func checkGPU(ctx context.Context) finding {
	inventory, err := gpu.Detect(ctx, gpu.Exec{})
	switch {
	case err != nil:
		return warn("gpu", "try again", "%v", err)
	case len(inventory.GPUs) > 0:
		return ok("gpu", "%s", inventory.Sentence())
	default:
		return warn("gpu", "with a card: install its driver, until nvidia-smi or rocm-smi lists it", "%s", inventory.Sentence())
	}
}

func checkCgroup() finding {
	dir, note, found := process.DetectCgroup()
	if !found {
		return warn("cgroup", "run it as a systemd service with Delegate=yes, or: systemd-run --user --scope -p Delegate=yes candor up",
			"%s; tasks are ended by process group and mark instead", note)
	}
	return ok("cgroup", "delegated at %s", dir)
}

// checkClock finds a clock that was never set: this program is not older.
func (a *app) checkClock() finding {
	now := a.clk.Now()
	if now.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return fail("clock", "set it by NTP: timedatectl set-ntp true", "it says %s, which is past", candor.FormatTime(now))
	}
	return ok("clock", "%s", candor.FormatTime(now))
}
