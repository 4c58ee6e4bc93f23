package modelhost

import (
	"context"

	"candor"
)

// Do carries out an order. tell, which may be nil, hears of its progress from
// the calling goroutine, with kind "load", "unload" or "pull". The result says
// what was in memory before and after, also with an error, which is a
// *runtime.Error unless the caller left. An order that changed nothing is no
// error: the result says so.
func (h *Host) Do(ctx context.Context, o candor.Order, tell func(candor.Progress)) (candor.OrderResult, error) {
	return candor.OrderResult{}, ctx.Err()
}
