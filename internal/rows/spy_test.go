package rows_test

import (
	"context"
	"sync"

	"candor/internal/runtime"
)

// spy keeps the requests that pass; before may do something ahead of each,
// by its number from 0, and token at each piece of an answer.
type spy struct {
	runtime.Server
	before func(i int)
	token  func()

	mu       sync.Mutex
	requests []runtime.Request
}

func (c *spy) Generate(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	c.mu.Lock()
	if c.before != nil {
		c.before(len(c.requests))
	}
	c.requests = append(c.requests, r)
	c.mu.Unlock()
	return c.Server.Generate(ctx, r, func(p runtime.Chunk) {
		if c.token != nil {
			c.token()
		}
		tell(p)
	})
}
