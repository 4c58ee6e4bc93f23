package runtime

import (
	"slices"
	"time"
)

// LoadRequest asks for a model that is ready.
type LoadRequest struct {
	Model string
	// Digest is the content that was asked for; empty: whatever has the name.
	Digest   string
	Settings Settings
	// OnGPU refuses a load that ended in the CPU's memory, in part or whole.
	OnGPU bool
	// Progress is told of each step, from the calling goroutine; nil: nobody.
	Progress func(Progress)
}

// Phase is a step of a load.
type Phase string

// The phases of a load, in order. A phase may be skipped.
const (
	PhaseAsked  Phase = "asked"  // the server has the request
	PhaseListed Phase = "listed" // the server lists the model, with its size
	PhaseReady  Phase = "ready"  // a token was produced
)

// Progress is where a load is.
type Progress struct {
	Phase   Phase
	Elapsed time.Duration
	// Resident is the server's entry, from PhaseListed on.
	Resident Resident
}

// Change is what an order did to a server: the state before and after.
type Change struct {
	Before []Resident    `json:"before"`
	After  []Resident    `json:"after"`
	Took   time.Duration `json:"took"` // nanoseconds
	// LoadTook is the server's own measure of loading, about 0 when the model
	// was there already.
	LoadTook time.Duration `json:"load_took,omitempty"`
	// Changed is false for an order that left everything as it was.
	Changed bool `json:"changed"`
	// Evicted are the models, other than the ordered one, that are gone.
	Evicted []string `json:"evicted,omitempty"`
}

// Diff fills in what differs between Before and After for an order about model.
// A reload with other settings shows only in context and sizes.
func (c Change) Diff(model string) Change {
	c.Changed, c.Evicted = false, nil
	for _, was := range c.Before {
		now, still := Find(c.After, was.Model)
		switch {
		case !still && was.Model != model:
			c.Evicted = append(c.Evicted, was.Model)
			c.Changed = true
		case !still, now.Digest != was.Digest, now.Context != was.Context, now.Size != was.Size, now.VRAM != was.VRAM:
			c.Changed = true
		}
	}
	for _, now := range c.After {
		if _, was := Find(c.Before, now.Model); !was {
			c.Changed = true
		}
	}
	return c
}

// Find looks a model up by the server's name for it.
func Find(all []Resident, model string) (Resident, bool) {
	i := slices.IndexFunc(all, func(r Resident) bool { return r.Model == model })
	if i < 0 {
		return Resident{}, false
	}
	return all[i], true
}
