package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"candor"
	"candor/client"
	"candor/internal/httpapi"
	"candor/internal/sched"
)

// BenchmarkClaim is a whole claim over a real socket, with a brain that answers
// at once: what client, HTTP and server cost.
func BenchmarkClaim(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			srv, err := httpapi.New(httpapi.Options{Brain: newQuiet(), Store: newShelf(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err != nil {
				b.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- srv.Serve(l) }()
			c, err := client.New(client.Options{URL: "http://" + l.Addr().String()})
			if err != nil {
				b.Fatal(err)
			}
			req := candor.ClaimRequest{Session: 1, Max: n, Wait: candor.Duration(30 * time.Second)}
			for i := range n {
				req.Results = append(req.Results, candor.Result{Task: theTask + candor.TaskID(i), Lease: int64(i), Outcome: candor.AttemptDone, Took: candor.Duration(3 * time.Millisecond)})
			}
			b.ReportAllocs()
			for b.Loop() {
				if reply, err := c.Claim(b.Context(), "worker-1", req); err != nil || len(reply.Tasks) != n {
					b.Fatal(len(reply.Tasks), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/task")
			c.Close()
			if err := srv.Shutdown(b.Context()); err != nil {
				b.Error(err)
			}
			if err := <-done; err != nil {
				b.Error(err)
			}
		})
	}
}

// quiet is a stand-in that keeps no account of what it saw.
type quiet struct{ brain }

func newQuiet() *quiet { return &quiet{} }

func (*quiet) Do(_ context.Context, cmd sched.Command) (any, error) { return usual(cmd) }
