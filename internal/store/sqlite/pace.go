package sqlite

import (
	"slices"
	"sync"
	"time"
)

// paceWindow is over how many commits the usual duration is taken.
const paceWindow = 127

// Stats tells how fast commits are: "store: commit 9.8s (usual 4ms), locked by
// pid 912 (sqlite3)".
type Stats struct {
	Commits int64
	Last    time.Duration // of the last commit, or of the one that waits now
	Usual   time.Duration // median of the last ones
	Waiting bool          // a commit waits for the write lock right now
	// Holder is who held the write lock when a commit last had to wait for it,
	// "pid 912 (sqlite3)"; empty if nobody did in the last commit, or unknown.
	Holder string
}

// pace measures commits.
type pace struct {
	mu     sync.Mutex
	recent [paceWindow]time.Duration // ring
	count  int64
	since  time.Time // start of a wait for the write lock
	holder string
}

// waiting notes that the write lock is held by somebody else, and returns who.
func (p *pace) waiting(since time.Time, file string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = since
	if who := lockHolder(file); who != "" {
		p.holder = who
	}
	return p.holder
}

// note takes in the duration of a commit.
func (p *pace) note(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		p.holder = ""
	}
	p.since = time.Time{}
	p.recent[p.count%paceWindow] = d
	p.count++
}

// Stats may be asked at any time, also while a commit waits.
func (s *Store) Stats() Stats {
	p := &s.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Stats{Commits: p.count, Holder: p.holder, Waiting: !p.since.IsZero()}
	if p.count > 0 {
		st.Last = p.recent[(p.count-1)%paceWindow]
		sorted := slices.Sorted(slices.Values(p.recent[:min(p.count, paceWindow)]))
		st.Usual = sorted[len(sorted)/2]
	}
	if st.Waiting {
		st.Last = s.opts.Clock.Now().Sub(p.since)
	}
	return st
}
