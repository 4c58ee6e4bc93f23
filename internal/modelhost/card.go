package modelhost

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"candor"
	"candor/internal/gpu"
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

// CardOf asks the vendors' tools about one card, by its UUID.
func CardOf(tools gpu.Runner, uuid string) func(context.Context) (Card, error) {
	return func(ctx context.Context) (Card, error) {
		inventory, err := gpu.Detect(ctx, tools)
		if err != nil {
			return Card{}, err
		}
		i := slices.IndexFunc(inventory.GPUs, func(g gpu.GPU) bool { return g.UUID == uuid })
		if i < 0 || !inventory.GPUs[i].MemoryFree.Known {
			return Card{}, fmt.Errorf("memory of card %s: %s", uuid, inventory.Sentence())
		}
		g := inventory.GPUs[i]
		c := Card{Free: candor.Bytes(g.MemoryFree.Value), Total: candor.Bytes(g.MemoryTotal.Value)}
		for _, p := range g.Processes {
			c.Holders = append(c.Holders, Holder{PID: p.PID, Program: filepath.Base(p.Name), Memory: candor.Bytes(p.Memory.Value)})
		}
		return c, nil
	}
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
