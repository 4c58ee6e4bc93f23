package process

import "time"

// Kind is what a process did between two samples.
type Kind string

// The kinds of a Verdict.
const (
	Working  Kind = "working"  // visible progress: output, files, or its own word
	Spinning Kind = "spinning" // CPU used, nothing to show for it
	Idle     Kind = "sleeping" // neither
	Halted   Kind = "stopped"  // every living process of it is stopped
	Ended    Kind = "gone"     // nothing alive
	Unknown  Kind = "unknown"  // nothing to show, and CPU cannot be measured here
)

// spinShare is the CPU use from which a silent process counts as spinning: one
// percent of one core. A loop that polls by forking sleeps stays well below it,
// and so do timers and garbage collectors.
const spinShare = 100

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

// Classify compares two samples of one process, the earlier one first. Over a
// window in which a descendant ended without being waited for, CPU is
// understated.
func Classify(a, b Sample) Verdict {
	v := Verdict{
		Window:  b.At.Sub(a.At),
		Output:  b.Output.Written - a.Output.Written,
		Files:   b.Files.Bytes - a.Files.Bytes,
		Touched: b.Files.Files != a.Files.Files || !b.Files.Newest.Equal(a.Files.Newest),
		Said:    b.Progress != nil && (a.Progress == nil || *a.Progress != *b.Progress),
		CPU:     max(0, b.CPU-a.CPU),
	}
	for _, p := range b.Procs {
		if p.State.Alive() {
			v.Procs++
		}
		if p.State == Stopped {
			v.Stopped++
		}
	}
	v.Progress = v.Output > 0 || v.Files != 0 || v.Touched || v.Said
	switch {
	case v.Procs == 0:
		v.Kind, v.Progress = Ended, false
	case v.Progress:
		v.Kind = Working
	case v.Stopped == v.Procs:
		v.Kind = Halted
	case !b.CPUKnown:
		v.Kind = Unknown
	case v.CPU > 0 && v.CPU >= v.Window/spinShare:
		v.Kind = Spinning
	default:
		v.Kind = Idle
	}
	return v
}
