package client

import (
	"context"
	"time"
)

// quietAfter is how long a call may be without an answer, beyond what the brain
// was asked to hold it, before a person who waits should hear of it.
const quietAfter = 3 * time.Second

// hush lets Options.Quiet hear of a call that has no answer yet, until ctx ends.
func (c *Client) hush(ctx context.Context, wait time.Duration) {
	if c.opts.Quiet == nil {
		return
	}
	go func() {
		select {
		case <-c.opts.Clock.After(quietAfter + wait):
			if ctx.Err() == nil {
				c.opts.Quiet(quietAfter)
			}
		case <-ctx.Done():
		}
	}()
}
