package gpu

import (
	"context"
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
	return Inventory{}, ctx.Err()
}

// Sample reads the GPUs again, asking only the tools that an earlier look found.
func Sample(ctx context.Context, r Runner, last Inventory) (Inventory, error) {
	return Inventory{}, ctx.Err()
}
