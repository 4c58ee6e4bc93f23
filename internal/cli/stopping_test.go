package cli

import (
	"context"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"candor/internal/clock"
)

// timeout(1) signals its child and then the child's group: that is one stop.
// Another signal, or the same one later, is a second.
func TestAnEchoOfASignalIsNoSecondStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a := &app{clk: clock.System(), signals: make(chan os.Signal, 4), lookup: func(string) (string, bool) { return "", false }}
		stops, err := a.watchStops(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		send := func(s os.Signal) {
			a.signals <- s
			synctest.Wait()
			select {
			case word := <-stops:
				got = append(got, word)
			default:
				got = append(got, "-")
			}
		}
		send(syscall.SIGTERM)
		send(syscall.SIGTERM)
		send(os.Interrupt)
		send(os.Interrupt)
		time.Sleep(sameStop)
		send(os.Interrupt)
		if want := []string{"TERM", "-", "INT", "-", "INT"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
