package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// growthBound is how many folder entries a sample looks at: a job that writes
// more is seen by its first ones.
const growthBound = 10_000

// Output counts what a process printed on stdout and stderr together.
type Output struct {
	Written   int64     `json:"written"`           // bytes
	Truncated bool      `json:"truncated"`         // the log keeps only its head and tail
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

// Sample is one measurement of a process and everything that belongs to it.
type Sample struct {
	At       time.Time     `json:"at"`
	Output   Output        `json:"output"`
	CPU      time.Duration `json:"cpu"`       // nanoseconds used so far by the living and the children they reaped
	CPUKnown bool          `json:"cpu_known"` // false where the system does not tell
	RSS      int64         `json:"rss"`       // bytes resident, shared pages counted per process
	Procs    []Proc        `json:"procs"`     // by number, zombies included
	Files    Growth        `json:"files"`
	Progress *Progress     `json:"progress,omitempty"` // nil: the job said nothing
}

// Sample measures the process now. It costs one pass over the process table
// and a bounded walk of Spec.WatchDir: for every few seconds, not for a loop.
// What could be measured is in the Sample even when there is an error.
func (p *Process) Sample() (Sample, error) {
	s := Sample{At: p.clk.Now(), Output: p.log.output(), CPUKnown: cpuMeasured}
	all, _, err := p.members()
	if err != nil {
		s.CPUKnown = false
	}
	for _, e := range all {
		s.CPU += e.cpu
		s.RSS += e.rss
		s.Procs = append(s.Procs, e.Proc)
	}
	if !canSee && !p.mainEnded() {
		s.Procs = []Proc{p.main}
	}
	return s, errors.Join(err, p.measureFiles(&s))
}

// First is what a Sample at the start would have been: the process alone, which
// has used nothing. It leaves the process table alone, since jobs that are over in
// milliseconds would pay for it.
func (p *Process) First() (Sample, error) {
	s := Sample{At: p.Started(), CPUKnown: cpuMeasured, Procs: []Proc{p.main}}
	return s, p.measureFiles(&s)
}

func (p *Process) measureFiles(s *Sample) error {
	var errGrowth, errProgress error
	if p.spec.WatchDir != "" {
		s.Files, errGrowth = MeasureGrowth(context.Background(), p.spec.WatchDir, growthBound)
	}
	if p.spec.ProgressFile != "" {
		s.Progress, errProgress = ReadProgress(p.spec.ProgressFile)
	}
	return errors.Join(errGrowth, errProgress)
}

// MeasureGrowth walks a folder, without following links, until bound entries
// or the end of ctx. What vanishes meanwhile is passed over.
func MeasureGrowth(ctx context.Context, dir string, bound int) (Growth, error) {
	var g Growth
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == dir {
				return err
			}
			return nil
		}
		if seen++; seen > bound || ctx.Err() != nil {
			g.Partial = true
			return fs.SkipAll
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if info.ModTime().After(g.Newest) {
			g.Newest = info.ModTime()
		}
		if info.Mode().IsRegular() {
			g.Files++
			g.Bytes += info.Size()
		}
		return nil
	})
	if errors.Is(err, os.ErrNotExist) {
		return g, nil
	}
	return g, err
}
