//go:build linux

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"candor/client"
	"candor/internal/clock"
	"candor/internal/modelhost"
	"candor/internal/record"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/worker"
)

// envHooked makes this test binary a worker that goes wrong: its value is the
// point at which it does, and how. The product has no such door.
const envHooked = "E2E_HOOKED_WORKER"

// envSlots is how many slots a hooked worker has; two if it is not set.
const envSlots = "E2E_HOOKED_SLOTS"

// hookedWorker runs a worker like candor worker does, but for the hook. It
// panics at the point when the file named by E2E_HOOK_FILE is there, and stands
// still there for as long as a file "stand" is beside that.
func hookedWorker() int {
	state := os.Getenv("CANDOR_STATE_DIR")
	name := os.Getenv("E2E_HOOKED_NAME")
	log, err := record.Open(record.Options{
		Component: name, Console: os.Stderr, File: filepath.Join(state, "logs", name+".jsonl"), Ring: filepath.Join(state, "logs", "ring", name),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer log.Close()
	c, err := client.New(client.Options{URL: "unix://" + filepath.Join(state, "candor.sock")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	models, err := hastyServer(state, name, log.Logger())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	slots, err := strconv.Atoi(cmp.Or(os.Getenv(envSlots), "2"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var done atomic.Bool
	err = worker.Run(context.Background(), worker.Options{
		Name: name, StateDir: state, Brain: c, Slots: slots, Log: log.Logger(), Models: models,
		OnPoint: func(point string) {
			if point == os.Getenv(envHooked) {
				standStill(filepath.Join(filepath.Dir(os.Getenv("E2E_HOOK_FILE")), "stand"))
			}
			if _, err := os.Stat(os.Getenv("E2E_HOOK_FILE")); err == nil && point == os.Getenv(envHooked) && done.CompareAndSwap(false, true) {
				panic("KeyError: model_name")
			}
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// standStill returns when a file is gone.
func standStill(file string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(file); err != nil {
			return
		}
		<-tick.C
	}
}

// envHasty is the program of a model server that a hooked worker keeps. The
// pauses before its restarts are short, which no setting makes them.
const envHasty = "E2E_HASTY_OLLAMA"

// hastyServer keeps the program that envHasty names; nil: none.
func hastyServer(state, name string, log *slog.Logger) (*modelhost.Host, error) {
	path := os.Getenv(envHasty)
	if path == "" {
		return nil, nil
	}
	dir := filepath.Join(state, "workers", name)
	return modelhost.New(modelhost.Options{
		Name: name, Kind: runtime.Ollama, Log: log, Clock: clock.System(), Dir: dir, Context: 1024,
		Launch:  modelhost.LaunchOllama(ollama.Serve{Program: path, Base: os.Environ(), Owner: dir}, clock.System()),
		Restart: modelhost.Restart{First: 10 * time.Millisecond, Longest: 50 * time.Millisecond},
	})
}
