package worker

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"

	"candor"
	"candor/internal/gpu"
	"candor/internal/process"
)

// watchCard refreshes the GPU's numbers.
func (w *worker) watchCard(ctx context.Context) {
	last, err := gpu.Detect(ctx, w.o.Telemetry)
	for err == nil {
		for _, g := range last.GPUs {
			if g.UUID == w.o.GPU.UUID {
				w.board.card(cardOf(&g))
			}
		}
		if err = w.o.Clock.Sleep(ctx, cardEvery); err == nil {
			last, err = gpu.Sample(ctx, w.o.Telemetry, last)
		}
	}
}

// cardOf is the card as the brain is told of it; what is not known is zero.
func cardOf(g *gpu.GPU) *candor.GPU {
	if g == nil {
		return nil
	}
	return &candor.GPU{
		Index: g.Index.Value, UUID: g.UUID, Name: g.Name,
		Total: candor.Bytes(g.MemoryTotal.Value), Free: candor.Bytes(g.MemoryFree.Value),
		Temperature: g.Temperature.Value, Utilisation: g.Utilization.Value, Power: g.PowerDraw.Value,
		Others: others(g.Processes),
	}
}

// shownOthers is how many strangers on a card are told of.
const shownOthers = 8

// others are the processes on a card that are not this worker's own, largest first.
func others(all []gpu.Process) []candor.GPUProcess {
	var out []candor.GPUProcess
	for _, p := range all {
		if p.PID > 0 && !descends(p.PID, os.Getpid()) {
			out = append(out, candor.GPUProcess{PID: p.PID, Name: filepath.Base(p.Name), VRAM: candor.Bytes(p.Memory.Value)})
		}
	}
	slices.SortFunc(out, func(a, b candor.GPUProcess) int { return cmp.Or(cmp.Compare(b.VRAM, a.VRAM), a.PID-b.PID) })
	return out[:min(len(out), shownOthers)]
}

// descends tells whether a process is another one's child, or child's child.
func descends(pid, ancestor int) bool {
	for range 64 { // no tree of ours is deeper; a loop would be a race with reused numbers
		if pid == ancestor {
			return true
		}
		if pid <= 1 {
			return false
		}
		pid = process.ProcState(pid).PPID
	}
	return false
}
