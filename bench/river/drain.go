package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// chunk is how many jobs one insert carries, as in River's own benchmark.
const chunk = 5_000

// warmUp is how many jobs are drained before the clock runs.
const warmUp = 2_000

type noopArgs struct {
	Num int `json:"num"`
}

func (noopArgs) Kind() string { return "noop" }

// noopWorker does nothing, and remembers when it was first asked to.
type noopWorker struct {
	river.WorkerDefaults[noopArgs]
	firstAt atomic.Pointer[time.Time]
}

func (w *noopWorker) Work(context.Context, *river.Job[noopArgs]) error {
	if w.firstAt.Load() == nil {
		now := time.Now()
		w.firstAt.CompareAndSwap(nil, &now)
	}
	return nil
}

// measureOn migrates the store behind the driver, warms it up and measures
// set.runs times.
func measureOn[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], set settings) ([]result, error) {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	warm := set
	warm.jobs = min(warmUp, set.jobs)
	if _, err := once(ctx, driver, warm); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	var results []result
	for range set.runs {
		r, err := once(ctx, driver, set)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// once enqueues and drains set.jobs jobs with a client of its own, and leaves
// the job table empty.
func once[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], set settings) (result, error) {
	worker := &noopWorker{}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	client, err := river.NewClient(driver, &river.Config{
		FetchCooldown:     set.cooldown,
		FetchPollInterval: max(set.poll, set.cooldown),
		JobTimeout:        -1, // no timer for each job
		Logger:            quiet(),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: set.workers}},
		Workers:           workers,
	})
	if err != nil {
		return result{}, err
	}
	// A completion counts when its event comes: River sends it after the
	// commit. The channel holds them all, since River drops what does not fit.
	events, cancel := client.SubscribeConfig(&river.SubscribeConfig{
		ChanSize: set.jobs,
		Kinds:    []river.EventKind{river.EventKindJobCompleted, river.EventKindJobFailed},
	})
	defer cancel()

	enqueued, err := enqueue(ctx, client, set.jobs)
	if err != nil {
		return result{}, fmt.Errorf("enqueue: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return result{}, fmt.Errorf("start: %w", err)
	}
	drainErr := awaitAll(ctx, events, set.jobs)
	end := time.Now()
	if err := errors.Join(drainErr, client.Stop(context.WithoutCancel(ctx))); err != nil {
		return result{}, fmt.Errorf("drain: %w", err)
	}
	if err := settle(ctx, driver, set.jobs); err != nil {
		return result{}, err
	}
	return result{
		enqueue: float64(set.jobs) / enqueued.Seconds(),
		drain:   float64(set.jobs) / end.Sub(*worker.firstAt.Load()).Seconds(),
	}, nil
}

func enqueue[TTx any](ctx context.Context, client *river.Client[TTx], jobs int) (time.Duration, error) {
	start := time.Now()
	for from := 0; from < jobs; from += chunk {
		params := make([]river.InsertManyParams, min(chunk, jobs-from))
		for i := range params {
			params[i].Args = noopArgs{Num: from + i}
		}
		if _, err := client.InsertManyFast(ctx, params); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func awaitAll(ctx context.Context, events <-chan *river.Event, jobs int) error {
	for done := 0; done < jobs; done++ {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d jobs done: %w", done, jobs, ctx.Err())
		case event := <-events:
			if event == nil || event.Kind != river.EventKindJobCompleted {
				return fmt.Errorf("%d of %d jobs done: unexpected event %v", done, jobs, event)
			}
		}
	}
	return nil
}

// settle asks the store itself whether all jobs are complete, then removes them
// so that each run begins alike.
func settle[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], jobs int) error {
	exec := driver.GetExecutor()
	complete, err := exec.JobCountByState(ctx, &riverdriver.JobCountByStateParams{State: rivertype.JobStateCompleted})
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if complete != jobs {
		return fmt.Errorf("the store holds %d completed jobs, want %d", complete, jobs)
	}
	for _, statement := range []string{"DELETE FROM river_job", "VACUUM"} {
		if err := exec.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}
