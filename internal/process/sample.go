package process

import "time"

// Output counts what a process printed on stdout and stderr together.
type Output struct {
	Written   int64     `json:"written"`           // bytes
	Truncated bool      `json:"truncated"`         // the log keeps only head and tail
	Last      time.Time `json:"last"`              // of the last byte; zero when there was none
	LogErr    string    `json:"log_err,omitempty"` // why the log on disk is incomplete
}

// Growth is the content of a folder.
type Growth struct {
	Bytes   int64     `json:"bytes"`
	Files   int       `json:"files"`
	Newest  time.Time `json:"newest"`  // latest modification
	Partial bool      `json:"partial"` // the walk hit its bound
}

// Progress is what the job says about itself.
type Progress struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // 0: unknown
	Note  string `json:"note,omitempty"`
}

// Sample is one measurement of a process and everything that belongs to it.
type Sample struct {
	At       time.Time     `json:"at"`
	Output   Output        `json:"output"`
	CPU      time.Duration `json:"cpu"`       // nanoseconds used so far by the whole group
	CPUKnown bool          `json:"cpu_known"` // false where the system does not tell
	RSS      int64         `json:"rss"`       // bytes resident, shared pages counted per process
	Procs    []Proc        `json:"procs"`     // by number, zombies included
	Files    Growth        `json:"files"`
	Progress *Progress     `json:"progress,omitempty"` // nil: the job said nothing
}

// Kind is what a process did between two samples.
type Kind string

const (
	Working  Kind = "working"  // visible progress: output, files, or its own word
	Spinning Kind = "spinning" // CPU used, nothing to show for it
	Idle     Kind = "sleeping" // neither
	Halted   Kind = "stopped"  // every process of it is stopped
	Ended    Kind = "gone"     // nothing alive
	Unknown  Kind = "unknown"  // nothing to show, and CPU cannot be measured here
)

// Verdict is Classify's answer with the numbers it rests on.
type Verdict struct {
	Kind Kind `json:"kind"`
	// Progress is true for Working only. Whether CPU alone counts as life is
	// the caller's rule: a long computation and an endless loop look the same.
	Progress bool          `json:"progress"`
	Window   time.Duration `json:"window"`  // nanoseconds between the samples
	Output   int64         `json:"output"`  // bytes written in it
	Files    int64         `json:"files"`   // bytes the folder grew by, may be negative
	Touched  bool          `json:"touched"` // a file was created, removed or modified
	Said     bool          `json:"said"`    // the job reported new progress
	CPU      time.Duration `json:"cpu"`     // nanoseconds used in it
	Procs    int           `json:"procs"`   // alive at its end
	Stopped  int           `json:"stopped"` // of these, stopped
}

// Classify compares two samples of one process, the earlier one first.
func Classify(a, b Sample) Verdict { return Verdict{} }
