package process

import (
	"fmt"
	"time"
)

// Cause says who ended a process that did not end by itself.
type Cause string

// The causes of an end.
const (
	CauseNone     Cause = ""          // it exited by itself
	CauseOurs     Cause = "ours"      // Terminate was called before the end
	CauseOOM      Cause = "oom"       // the kernel's OOM killer, counted in the child's own cgroup
	CauseMaybeOOM Cause = "maybe_oom" // KILL, not ours; see Evidence
	CauseOther    Cause = "other"     // a signal of somebody else, or its own (a crash)
)

// Exit is how a process ended.
type Exit struct {
	// Code is the exit code, -1 when a signal ended the main process.
	Code int `json:"code"`
	// Signal is the number of that signal, 0 when there was none.
	Signal int   `json:"signal,omitempty"`
	Cause  Cause `json:"cause,omitempty"`
	// Evidence is what Cause rests on, in words and numbers.
	Evidence string        `json:"evidence,omitempty"`
	Ended    time.Time     `json:"ended"` // when the main process ended
	Ran      time.Duration `json:"ran"`   // nanoseconds, until then
	// User, System and MaxRSS are of the main process and the children it
	// waited for; CPU in nanoseconds, MaxRSS (of the largest one) in bytes.
	User   time.Duration `json:"user"`
	System time.Duration `json:"system"`
	MaxRSS int64         `json:"max_rss"`
	// Stragglers outlived the main process for longer than Spec.Drain and were
	// killed; Survivors are what even KILL did not end.
	Stragglers []Proc `json:"stragglers,omitempty"`
	Survivors  []Proc `json:"survivors,omitempty"`
	// PipeHeld says that somebody unknown kept the output open after all that.
	PipeHeld bool   `json:"pipe_held,omitempty"`
	Output   Output `json:"output"`
}

// OK says that the process exited by itself with code 0.
func (e Exit) OK() bool { return e.Code == 0 && e.Signal == 0 && e.Cause == CauseNone }

// String is "exit 3", "signal: KILL (9), maybe out of memory" and the like.
func (e Exit) String() string {
	s := fmt.Sprintf("exit %d", e.Code)
	if e.Signal != 0 {
		s = fmt.Sprintf("signal: %s (%d)", signalName(e.Signal), e.Signal)
	}
	switch e.Cause {
	case CauseOurs:
		s += ", ended by us"
	case CauseOOM:
		s += ", out of memory"
	case CauseMaybeOOM:
		s += ", maybe out of memory"
	}
	return s
}

// SignalText is the signal that ended it as "KILL (9)", "" when there was none.
func (e Exit) SignalText() string {
	if e.Signal == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%d)", signalName(e.Signal), e.Signal)
}

// oomCount counts OOM kills so far, where the system tells.
type oomCount struct {
	leaf, host           int64
	leafKnown, hostKnown bool
}

// exitOfKill is how a shell reports that its command died of KILL.
const exitOfKill = 128 + 9

// blame decides who ended a process. Only the child's own cgroup proves an OOM
// kill; the host's counter rises for anybody's.
func blame(code, signal int, ours bool, before, after oomCount) (Cause, string) {
	if ours {
		return CauseOurs, "Terminate was called before it ended"
	}
	if signal == 0 && code != exitOfKill {
		return CauseNone, ""
	}
	if signal != 0 && signal != sigKill {
		return CauseOther, "not sent by us"
	}
	if before.leafKnown && after.leafKnown {
		if n := after.leaf - before.leaf; n > 0 {
			return CauseOOM, fmt.Sprintf("its cgroup counted %d OOM kills", n)
		}
		return CauseOther, "not sent by us; its cgroup counted no OOM kill"
	}
	if !before.hostKnown || !after.hostKnown {
		return CauseMaybeOOM, "not sent by us; this system does not count OOM kills"
	}
	if n := after.host - before.host; n > 0 {
		return CauseMaybeOOM, fmt.Sprintf("not sent by us; the host counted %d OOM kills meanwhile", n)
	}
	return CauseOther, fmt.Sprintf("not sent by us; the host's count of OOM kills stayed at %d", after.host)
}
