package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"candor"
	"candor/internal/durable"
)

// Bounds of one request's results: a brain that was away for long is not buried.
const (
	sendResults = 200
	sendBytes   = 4 << 20
)

// spool keeps results on disk from their making until the brain's verdict.
//
//	put ──▶ waiting ◀──▶ sent ──▶ settled (file gone)
type spool struct {
	dir string

	mu sync.Mutex
	// guarded by mu
	kept map[int64]*letter
	one  int // so many of the next requests carry one result each
}

type letter struct {
	result candor.Result
	size   int
	sent   bool // in a request whose answer has not come
}

// openSpool reads what a former process left.
func openSpool(dir string) (*spool, []error) {
	s := &spool{dir: dir, kept: map[int64]*letter{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s, []error{fmt.Errorf("open spool: %w", err)}
	}
	var bad []error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasSuffix(path, ".new") {
			_ = os.Remove(path) // half a result: its attempt is still recorded
		}
		if !strings.HasSuffix(path, ".json") {
			continue
		}
		b, err := os.ReadFile(path)
		var r candor.Result
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil || r.Lease == 0 {
			bad = append(bad, fmt.Errorf("read spooled result %s: %w", path, errors.Join(err, os.Rename(path, path+".unreadable"))))
			continue
		}
		s.kept[r.Lease] = &letter{result: r, size: len(b)}
	}
	return s, bad
}

func (s *spool) path(lease int64) string {
	return filepath.Join(s.dir, strconv.FormatInt(lease, 10)+".json")
}

// put makes a result durable. With an error it is kept in memory only.
func (s *spool) put(r candor.Result) error {
	b, err := json.Marshal(r)
	if err == nil {
		err = durable.WriteFile(s.path(r.Lease), b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[r.Lease] = &letter{result: r, size: len(b)}
	if err != nil {
		return fmt.Errorf("spool result of %s: %w", r.Task, err)
	}
	return nil
}

// take hands out results to send, oldest lease first, within the bounds of a request.
func (s *spool) take() []candor.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []candor.Result
	size, most := 0, sendResults
	if s.one > 0 {
		s.one, most = s.one-1, 1
	}
	for _, lease := range s.leases() {
		l := s.kept[lease]
		if l.sent {
			continue
		}
		if len(out) > 0 && (len(out) == most || size+l.size > sendBytes) {
			break
		}
		l.sent = true
		size += l.size
		out = append(out, l.result)
	}
	return out
}

// waiting says whether anything could be taken.
func (s *spool) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.kept {
		if !l.sent {
			return true
		}
	}
	return false
}

// giveBack returns results whose request brought no verdicts.
func (s *spool) giveBack(results []candor.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range results {
		if l := s.kept[r.Lease]; l != nil {
			l.sent = false
		}
	}
}

// reopen returns all that was taken and has no verdict: nobody waits for the
// answers of those calls any more.
func (s *spool) reopen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.kept {
		l.sent = false
	}
}

// single sends all that is kept now one by one: something among it is refused.
func (s *spool) single() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.one = len(s.kept)
}

// settle forgets a result on which the brain has spoken.
func (s *spool) settle(lease int64) error {
	s.mu.Lock()
	delete(s.kept, lease)
	s.mu.Unlock()
	// Not synced: after a power failure it is sent again, and repeated.
	if err := os.Remove(s.path(lease)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove spooled result: %w", err)
	}
	return nil
}

// setAside keeps a result that the brain will never take, for a person.
func (s *spool) setAside(lease int64) error {
	s.mu.Lock()
	delete(s.kept, lease)
	s.mu.Unlock()
	return os.Rename(s.path(lease), s.path(lease)+".refused")
}

// unsent lists the leases of all results without a verdict.
func (s *spool) unsent() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leases()
}

func (s *spool) leases() []int64 {
	var all []int64
	for lease := range s.kept {
		all = append(all, lease)
	}
	slices.Sort(all)
	return all
}
