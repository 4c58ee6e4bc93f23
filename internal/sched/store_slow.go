package sched

import (
	"fmt"
	"time"

	"candor"
)

// storeSlow keeps for the record that a commit took long, now that another can.
func (s *State) storeSlow(c StoreSlow) {
	text := fmt.Sprintf("store: commit %s (usual %s)", candor.ShortDuration(c.Took), candor.ShortDuration(c.Usual))
	if c.Holder != "" {
		text += ", locked by " + c.Holder
	}
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventStoreSlow, Reason: candor.ReasonStoreTrouble, Took: candor.Duration(c.Took), Text: text,
	})
}

// StoreSlow says that the commit before took unusually long. Reply: nil.
type StoreSlow struct {
	Took, Usual time.Duration
	Holder      string // who held the store's lock, if known
}

func (StoreSlow) command() {}
