package gpu

import (
	"context"
	"strings"
	"time"
)

// DefaultLimit is how long one call of a tool may take. A cold nvidia-smi
// without the persistence daemon needs several seconds with eight cards.
const DefaultLimit = 15 * time.Second

// Output is what a program printed and how it ended.
type Output struct {
	Stdout, Stderr []byte
	ExitCode       int // -1 when ended by a signal
}

// Runner runs a vendor's tool. Its error matches exec.ErrNotFound when there is
// no such program and context.DeadlineExceeded when it took too long; a program
// that ran and ended badly is no error but an ExitCode.
type Runner interface {
	Run(ctx context.Context, name string, args ...string) (Output, error)
}

// Detect looks for the machine's GPUs with every tool known. The error is only
// ever the context's: all else is in Inventory.Tools.
func Detect(ctx context.Context, r Runner) (Inventory, error) {
	return look(ctx, r, []Vendor{NVIDIA, AMD})
}

// Sample reads the GPUs again, asking only the tools that last did not find
// missing, and every tool when last is the zero Inventory. A tool whose sampling
// fails stands in Tools with its state, and its cards are absent: nothing old
// is passed off as new.
func Sample(ctx context.Context, r Runner, last Inventory) (Inventory, error) {
	if len(last.Tools) == 0 {
		return Detect(ctx, r)
	}
	var vendors []Vendor
	for _, tool := range last.Tools {
		if tool.State != StateToolMissing {
			vendors = append(vendors, tool.Vendor)
		}
	}
	return look(ctx, r, vendors)
}

func look(ctx context.Context, r Runner, vendors []Vendor) (Inventory, error) {
	var inv Inventory
	for _, vendor := range vendors {
		ask := askNVIDIA
		if vendor == AMD {
			ask = askAMD
		}
		tool, gpus, stray := ask(ctx, r)
		if err := ctx.Err(); err != nil {
			return Inventory{}, err
		}
		inv.Tools = append(inv.Tools, tool)
		inv.GPUs = append(inv.GPUs, gpus...)
		inv.Unplaced = append(inv.Unplaced, stray...)
	}
	return inv, nil
}

// Sentence says in one line what was found: what doctor prints.
func (inv Inventory) Sentence() string {
	var say []string
	for _, tool := range inv.Tools {
		if tool.State != StateToolMissing {
			say = append(say, tool.Sentence)
		}
	}
	if len(say) == 0 {
		return "no GPU tool is installed (nvidia-smi, rocm-smi): cpu tasks only"
	}
	return strings.Join(say, "; ")
}
