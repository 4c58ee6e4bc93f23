package runtime

import (
	"maps"
	"slices"
)

// Codes is the closed list, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(traits())) }
