package daemon

import (
	"context"
	"fmt"
	"net"
	"time"

	"candor/internal/httpapi"
)

// lookEvery is how often each socket is looked for in its place.
const lookEvery = time.Second

// keepOpen listens again where a socket was removed, until ctx ends: whoever
// tidies up old files knows no better, and a brain that nobody can reach is as
// good as none. serve answers on a listener in the background.
func keepOpen(ctx context.Context, o Options, tokens *httpapi.Tokens, listeners []net.Listener, serve func(net.Listener)) {
	told := ""
	for o.Clock.Sleep(ctx, lookEvery) == nil {
		for i, l := range listeners {
			if !httpapi.Gone(l) {
				continue
			}
			again, err := httpapi.Listen(ctx, o.Listen[i], tokens)
			if err != nil {
				if text := err.Error(); text != told && ctx.Err() == nil {
					o.Log.Warn(fmt.Sprintf("The socket %s was removed, and it cannot be made again: %s", o.Listen[i], text))
					told = text
				}
				continue
			}
			o.Log.Warn(fmt.Sprintf("The socket %s was removed; listening there again", o.Listen[i]))
			told, listeners[i] = "", again
			serve(again)
		}
	}
}
