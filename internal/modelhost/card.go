package modelhost

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"candor"
)

// Card is the memory of the card that the server uses.
type Card struct {
	Free, Total candor.Bytes
	Holders     []Holder // whoever uses it, the server's own processes included
}

// Holder is a process that has memory on the card.
type Holder struct {
	PID     int
	Program string
	Memory  candor.Bytes // 0: not known
}

// mostHolders is how many are named.
const mostHolders = 4

// holders says who has the card's memory: models of the server by name, and
// processes by number, the largest first.
func (h *Host) holders(c Card) string {
	h.mu.Lock()
	var models []string
	for _, name := range slices.Sorted(maps.Keys(h.models)) {
		if m := h.models[name]; m.VRAM > 0 {
			models = append(models, fmt.Sprintf("model %s (%s)", name, candor.Bytes(m.VRAM)))
		}
	}
	h.mu.Unlock()
	all := slices.Clone(c.Holders)
	slices.SortFunc(all, func(a, b Holder) int { return cmp.Compare(b.Memory, a.Memory) })
	for _, p := range all[:min(len(all), mostHolders)] {
		name := fmt.Sprintf("pid %d (%s)", p.PID, p.Program)
		if p.Memory > 0 {
			name += " with " + p.Memory.String()
		}
		models = append(models, name)
	}
	if len(models) == 0 {
		return "nobody that the driver names"
	}
	return strings.Join(models, ", ")
}
