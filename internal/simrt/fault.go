package simrt

import (
	"fmt"
	"slices"
	"time"
)

// Kind is a way to misbehave.
type Kind string

// The kinds of faults. Those of an answer take effect after Fault.After tokens.
const (
	SlowLoad    Kind = "slow_load"     // a load takes Delay longer
	NoMemory    Kind = "no_memory"     // a load fails for want of memory, after pushing out everything
	LoadFails   Kind = "load_fails"    // a load fails without a reason
	OnCPU       Kind = "on_cpu"        // a load puts only Share of the model into VRAM, and answers are slow
	WrongDigest Kind = "wrong_digest"  // the name stands for another content
	Error       Kind = "error"         // 500 instead of an answer
	Busy        Kind = "busy"          // 503 instead of an answer
	Truncate    Kind = "truncate"      // a long prompt is cut in silence, whatever was asked
	Endless     Kind = "endless"       // the answer does not end by itself
	Prose       Kind = "prose"         // an answer by a schema has words and a code fence around its JSON
	OffSchema   Kind = "off_schema"    // an answer by a schema is an object that does not obey it
	Repeat      Kind = "repeat"        // the answer repeats one token, and is broken off
	Hang        Kind = "hang"          // silence in an answer; everything else replies
	Cut         Kind = "cut"           // the stream ends well, but without done:true
	InBand      Kind = "in_band_error" // an error as a line of the answer
	RunnerDeath Kind = "runner_death"  // the model's process dies
	Death       Kind = "death"         // the server dies
)

// Kinds is the closed list, in the order of a request's life.
func Kinds() []Kind {
	return []Kind{
		WrongDigest, SlowLoad, NoMemory, LoadFails, OnCPU, Error, Busy, Truncate,
		Endless, Prose, OffSchema, Repeat, Hang, Cut, InBand, RunnerDeath, Death,
	}
}

// Fault is an order to misbehave.
type Fault struct {
	Kind Kind `json:"kind"`
	// Model limits it to one model, by its full name; empty: any.
	Model string `json:"model,omitempty"`
	// Times is how often it happens; 0: until it is cleared.
	Times int `json:"times,omitempty"`
	// After is how many tokens of an answer come before it.
	After int `json:"after,omitempty"`
	// DelayMS is for SlowLoad, in milliseconds; Share, from 0 to 1, for OnCPU.
	DelayMS int64   `json:"delay_ms,omitempty"`
	Share   float64 `json:"share,omitempty"`
}

func (f Fault) delay() time.Duration { return time.Duration(f.DelayMS) * time.Millisecond }

func (f Fault) check() error {
	if !slices.Contains(Kinds(), f.Kind) {
		return fmt.Errorf("%q is no kind of fault: %v", f.Kind, Kinds())
	}
	if f.Times < 0 || f.After < 0 || f.DelayMS < 0 || f.Share < 0 || f.Share > 1 {
		return fmt.Errorf("fault %s: times, after, delay_ms and share are not negative, share at most 1", f.Kind)
	}
	return nil
}

// Inject orders a fault.
func (s *Server) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
	return nil
}

// Clear takes back all faults that were ordered.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults are those that are still to happen.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// strikes uses up the first fault of a kind for a model, if one is ordered. The
// caller holds mu.
func (s *Server) strikes(kind Kind, model string) (Fault, bool) {
	i := slices.IndexFunc(s.faults, func(f Fault) bool {
		return f.Kind == kind && (f.Model == "" || f.Model == model)
	})
	if i < 0 {
		return Fault{}, false
	}
	f := s.faults[i]
	if f.Times == 1 {
		s.faults = slices.Delete(s.faults, i, i+1)
	} else if f.Times > 1 {
		s.faults[i].Times--
	}
	return f, true
}

// strike is strikes for those who do not hold mu.
func (s *Server) strike(kind Kind, model string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.strikes(kind, model)
}
