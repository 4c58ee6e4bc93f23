// Command overhead asks what candor costs on the way to a model: rows per second
// through candor (brain, worker, results on disk) against the same rows sent
// straight to the same server, by a client that does nothing else and has found
// the number of requests at once that the server bears best.
//
//	go run ./bench/overhead
//	go run ./bench/overhead -ollama /usr/local/bin/ollama
//	go run ./bench/overhead -server http://127.0.0.1:11434 -model qwen2.5:7b -slots 4
//
// The first needs nothing: the server is simulated, and says so. The second starts
// a real Ollama with a model of random weights on a CPU, the third uses yours.
//
// Both ways take turns, with the model loaded before either starts. The time
// through candor is that of `candor submit --wait`, the whole of it. Every row
// must have an answer, and both ways the same number of tokens, within -differ.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"candor/bench/internal/program"
	"candor/internal/cli"
)

// roleVar makes this program candor itself, or the simulated server.
const roleVar = "CANDOR_BENCH_ROLE"

type settings struct {
	rows, chunk, slots, rounds int
	tokens                     int
	server, model, ollama      string
	length                     int
	rate                       float64
	least, differ              float64
	timeout                    time.Duration
}

func main() {
	if os.Getenv(roleVar) != "" {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		ctx, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		err = measure(ctx, s, stdout)
	}
	return program.Exit("overhead", err, stderr)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	err := program.Flags("overhead", args, stderr, func(f *flag.FlagSet) {
		f.IntVar(&s.rows, "rows", 240, "rows of a round")
		f.IntVar(&s.chunk, "chunk", 20, "rows of a task; 1 = a task for each row")
		f.IntVar(&s.slots, "slots", 4, "answers that the server writes at once")
		f.IntVar(&s.rounds, "rounds", 3, "rounds; each way has its turn in each")
		f.IntVar(&s.tokens, "tokens", 512, "tokens of an answer at most")
		f.StringVar(&s.server, "server", "", "an Ollama that runs, by its URL")
		f.StringVar(&s.model, "model", "", "the model to ask; needed with -server")
		f.StringVar(&s.ollama, "ollama", "", "the program of an Ollama to start, on a CPU, with a model of random weights")
		f.IntVar(&s.length, "length", 40, "tokens of a usual answer of the simulated server")
		f.Float64Var(&s.rate, "rate", 100, "tokens per second of an answer of the simulated server")
		f.Float64Var(&s.least, "least", 0, "fail below this ratio; 0 = only tell it")
		f.Float64Var(&s.differ, "differ", 0.02, "by what share the tokens of both ways may differ")
		f.DurationVar(&s.timeout, "timeout", 15*time.Minute, "end after this long")
	})
	switch {
	case err != nil:
		return s, err
	case min(s.rows, s.chunk, s.slots, s.rounds, s.tokens) < 1:
		return s, errors.New("-rows, -chunk, -slots, -rounds and -tokens are at least 1")
	case s.server != "" && s.ollama != "":
		return s, errors.New("-server is one that runs, -ollama one to start: give one of them")
	case s.server != "" && s.model == "":
		return s, errors.New("-server needs -model")
	}
	return s, nil
}

// measure prepares a server and candor, and lets both ways take turns.
func measure(ctx context.Context, s settings, stdout io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "cdo") // short, for the sake of the socket
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := startServer(ctx, s, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	batch, err := newBatch(s, server, dir)
	if err != nil {
		return err
	}
	farm, err := startFarm(ctx, s, server, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, farm.stop()) }()
	if _, err := farm.run(ctx, batch.first(s.slots)); err != nil { // loads the model, and opens connections
		return fmt.Errorf("warm up: %w", err)
	}
	at, err := bestConcurrency(ctx, server, batch.first(max(s.rows/3, 4*s.slots)), s.slots, stdout)
	if err != nil {
		return err
	}
	return takeTurns(ctx, s, server, farm, batch, at, stdout)
}

// takeTurns has each way answer all rows, again and again, and prints rates.
func takeTurns(ctx context.Context, s settings, server *server, farm *farm, b batch, at int, stdout io.Writer) error {
	var ratios []float64
	for round := 1; round <= s.rounds; round++ {
		straight, err := server.ask(ctx, b, at)
		if err != nil {
			return fmt.Errorf("straight: %w", err)
		}
		through, err := farm.run(ctx, b)
		if err != nil {
			return fmt.Errorf("through candor: %w", err)
		}
		if off := float64(through.tokens)/float64(straight.tokens) - 1; off > s.differ || off < -s.differ {
			return fmt.Errorf("through candor the answers had %d tokens, straight %d: not the same work", through.tokens, straight.tokens)
		}
		ratio := through.rate() / straight.rate()
		ratios = append(ratios, ratio)
		fmt.Fprintf(stdout, "round %d: candor rows/s=%.2f straight rows/s=%.2f ratio=%.3f\n", round, through.rate(), straight.rate(), ratio)
	}
	slices.Sort(ratios)
	median := ratios[len(ratios)/2]
	fmt.Fprintf(stdout, "overhead server=%s rows=%d chunk=%d slots=%d straight_at=%d ratio=%.3f\n", server.kind, s.rows, s.chunk, s.slots, at, median)
	if median < s.least {
		return fmt.Errorf("%.3f of the straight rate, %.2f is the least", median, s.least)
	}
	return nil
}

// turn is what one way took for some rows.
type turn struct {
	rows, tokens int
	took         time.Duration
}

func (t turn) rate() float64 { return float64(t.rows) / t.took.Seconds() }
