package process

import (
	"context"
	"time"
)

// Process is one started child. All methods may be called from any goroutine.
type Process struct {
	done chan struct{}
}

// Start starts the command. The process is running, and its main program
// executing, when it returns. Somebody must wait for Done or call Terminate.
func Start(clk Clock, spec Spec) (*Process, error) { return nil, errTODO }

// PID is the main process's number, which is also its group and session.
func (p *Process) PID() int { return 0 }

// Record describes the process for a successor; fill in Lease and Task.
func (p *Process) Record() Record { return Record{} }

// CgroupNote says which cgroup leaf the child runs in, or why it has none.
func (p *Process) CgroupNote() string { return "" }

// Done is closed when the main process has ended, nothing of it is left alive
// (or Exit.Survivors names it) and the log is complete.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait blocks until Done or the end of ctx, whose error it then returns.
func (p *Process) Wait(ctx context.Context) (Exit, error) { return Exit{}, errTODO }

// Output is what has been written so far.
func (p *Process) Output() Output { return Output{} }

// Tail is the end of the output as valid UTF-8 text without control
// characters, at most Spec.TailLimit bytes of it, from a line start if possible.
func (p *Process) Tail() string { return "" }

// Sample measures the process now. It costs one pass over the process table
// and a bounded walk of Spec.WatchDir: for every few seconds, not for a loop.
func (p *Process) Sample() (Sample, error) { return Sample{}, errTODO }

// Terminate ends the process: TERM to all of it (and CONT, so that a stopped
// one can act on it), grace for it to end, then KILL, then a look whether
// anything is left. The end of ctx cuts the grace short, never the killing.
// It returns once nothing is left, or a few seconds after KILL with what is.
// Calling it on an ended process, or twice at once, is safe.
func (p *Process) Terminate(ctx context.Context, grace time.Duration) Report { return Report{} }

// Report says what Terminate had to do.
type Report struct {
	TermSent  bool          `json:"term_sent"`
	KillSent  bool          `json:"kill_sent"`
	Survivors []Proc        `json:"survivors,omitempty"`
	Took      time.Duration `json:"took"` // nanoseconds
}
