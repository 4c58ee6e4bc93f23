package cli

import (
	"context"
	"os"
	"syscall"
	"time"

	"candor/internal/supervise"
)

// stopWord is the word for a signal: INT, TERM.
func stopWord(s os.Signal) string {
	if s == syscall.SIGTERM {
		return "TERM"
	}
	return "INT"
}

// sameStop is how soon after a signal the same one counts as its echo. timeout(1)
// sends its signal to the child and then to the child's group, and a terminal or
// a service manager may reach a process twice, too; nobody means a second one by
// that. (A second one of another kind counts at once.)
const sameStop = 500 * time.Millisecond

// watchStops brings the names of what asks this process to end, until ctx does.
// The first drains, the second interrupts; a supervisor that is gone asks once.
func (a *app) watchStops(ctx context.Context) (<-chan string, error) {
	words := make(chan string, cap(a.signals))
	orphaned, err := supervise.Orphaned(ctx, a.clk, a.getenv)
	if err != nil {
		return nil, err
	}
	go func() {
		var last os.Signal
		var at time.Time
		for {
			select {
			case s := <-a.signals:
				now := a.clk.Now()
				if s == last && now.Sub(at) < sameStop {
					continue
				}
				last, at = s, now
				tell(ctx, words, stopWord(s))
			case <-orphaned:
				orphaned = nil
				tell(ctx, words, "the end of its supervisor")
			case <-ctx.Done():
				return
			}
		}
	}()
	return words, nil
}

func tell(ctx context.Context, words chan<- string, word string) {
	select {
	case words <- word:
	case <-ctx.Done():
	}
}

// signalOf undoes stopWord.
func signalOf(word string) os.Signal {
	if word == "TERM" {
		return syscall.SIGTERM
	}
	return os.Interrupt
}
