package sched

import (
	"slices"

	"candor"
)

// event numbers an event and keeps it for the next commit. DEBUG events are
// told, but have no number and are not kept.
func (s *State) event(e *candor.Event) {
	e.At = s.now
	if e.Level != candor.LevelDebug {
		e.Seq = s.meta.NextEvent
		s.meta.NextEvent++
	}
	s.changes.Events = append(s.changes.Events, *e)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
