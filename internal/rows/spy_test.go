package rows_test

import (
	"context"
	"sync"

	"candor/internal/runtime"
)

// cutSecond keeps the requests that pass, and may do something before the second.
type cutSecond struct {
	runtime.Server
	inject func()

	mu       sync.Mutex
	requests []runtime.Request
}

func (c *cutSecond) Generate(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	c.mu.Lock()
	c.requests = append(c.requests, r)
	second := len(c.requests) == 2
	c.mu.Unlock()
	if second && c.inject != nil {
		c.inject()
	}
	return c.Server.Generate(ctx, r, tell)
}
