package process

import "time"

// Cause says who ended a process that did not end by itself.
type Cause string

const (
	CauseNone     Cause = ""          // it exited by itself
	CauseOurs     Cause = "ours"      // Terminate did
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
	// killed; Survivors are those of them that even KILL did not end.
	Stragglers []Proc `json:"stragglers,omitempty"`
	Survivors  []Proc `json:"survivors,omitempty"`
	// PipeHeld says that somebody unknown kept the output open after all that.
	PipeHeld bool   `json:"pipe_held,omitempty"`
	Output   Output `json:"output"`
}

// String is "exit 3", or "signal: KILL (9), out of memory" and the like.
func (e Exit) String() string { return "" }

// OK says that the process exited by itself with code 0.
func (e Exit) OK() bool { return e.Code == 0 && e.Signal == 0 }
