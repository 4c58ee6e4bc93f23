package sched

import "candor"

// Room a model takes on a card beside its file, before it was loaded once: the
// context and the working memory of a small model.
const modelOverhead = 512 * candor.MiB

// least is what a model takes on a card at the very least: what it took before,
// else its file. 0: not known.
func (h *Have) least(model string) candor.Bytes {
	if m := h.measured[model]; m != nil && m.VRAM > 0 {
		return m.VRAM
	}
	if h.Catalog == nil {
		return 0
	}
	for i := range h.Catalog.Models {
		if m := &h.Catalog.Models[i]; m.Name == model || candor.ModelName(m.Name) == model {
			return m.Size
		}
	}
	return 0
}

// size is what a model is taken to need there; 0: not known. A guess does not
// keep a model from a card that its file fits on: the load shows.
func (h *Have) size(model string) candor.Bytes {
	size := h.least(model)
	if m := h.measured[model]; size == 0 || m != nil && m.VRAM > 0 {
		return size
	}
	if guess := size + size/10 + modelOverhead; size > h.VRAM || guess <= h.VRAM {
		return guess
	}
	return h.VRAM
}

// cardNeed is the least that a model takes on the card there; 0: not known, or
// there is no card.
func (h *Have) cardNeed(model string) candor.Bytes {
	if h.VRAM == 0 {
		return 0
	}
	return h.least(model)
}

// needs is the memory of a card without which a worker can never do what is
// wanted: what a task asks for, or the least that its model takes. A worker
// without a card serves models from its other memory.
func (w *Want) needs(h *Have) candor.Bytes {
	if h.VRAM == 0 || w.Class != candor.ClassLLM && !w.loads() {
		return w.VRAM
	}
	if w.loads() {
		return max(w.VRAM, h.least(w.Order.Model))
	}
	if h.serves(w) != nil {
		return w.VRAM
	}
	least := h.least(w.Model)
	for _, name := range w.Accept {
		if h.knows(name) {
			least = min(least, h.least(name))
		}
	}
	return max(w.VRAM, least)
}

// makesRoom is the memory that comes free by what an order takes away first.
func (h *Have) makesRoom(o *candor.Order) candor.Bytes {
	var room candor.Bytes
	if o == nil {
		return 0
	}
	for _, name := range append([]string{o.Model}, o.Evict...) {
		if m := h.model(candor.ModelName(name)); m != nil {
			room += m.VRAM
		}
	}
	return room
}
