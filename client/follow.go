package client

import (
	"context"
	"time"

	"candor"
)

// streamSilence is how long a stream may be without a byte; the server sends a
// sign of life more than three times as often.
const streamSilence = 35 * time.Second

// Follow delivers each event that matches q, oldest first, once, until ctx ends
// or fn returns an error; both are returned as they are. q.After =
// candor.FromNow leaves out what was. A brain that cannot be reached at first
// is an error; one that goes away later is waited for (see
// Options.Reconnected), and the stream goes on where it broke off.
func (c *Client) Follow(ctx context.Context, q candor.EventQuery, fn func(candor.Event) error) error {
	return candor.Errorf(candor.CodeUnsupported, "not built yet")
}
