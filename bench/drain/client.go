package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"candor"
	"candor/client"
)

const workerName = "bench"

// measure runs one brain and drains it.
func measure(ctx context.Context, s settings, dir string) (err error) {
	brain, err := startBrain(ctx, s, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, brain.stop()) }()
	c, err := client.New(client.Options{URL: "unix://" + socket(dir)})
	if err != nil {
		return err
	}
	before := brain.memory()
	start := time.Now()
	if err := enqueue(ctx, c, s); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	enqueued := time.Since(start)
	perTask := (brain.memory() - before) / int64(s.n)

	d := &drainer{client: c, settings: s}
	drained, err := d.run(ctx)
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	if err := check(ctx, c, s); err != nil {
		return err
	}
	fmt.Printf("candor n=%d workers=%d enqueue/s=%.0f drain/s=%.0f queued=%dB/task\n",
		s.n, s.workers, float64(s.n)/enqueued.Seconds(), float64(s.drain)/drained.Seconds(), perTask)
	return nil
}

// enqueue submits the tasks: one step that does nothing, for each number.
func enqueue(ctx context.Context, c *client.Client, s settings) error {
	for from := 0; from < s.n; from += s.chunk {
		n := min(s.chunk, s.n-from)
		items := make([]json.RawMessage, n)
		for i := range items {
			items[i] = strconv.AppendInt(nil, int64(from+i), 10)
		}
		_, err := c.Submit(ctx, candor.Submission{
			Name: "drain", Steps: []candor.Step{{Name: "noop", Class: candor.ClassCPU, Each: &candor.Each{Items: items}}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// drainer is a worker that finishes each task at once.
type drainer struct {
	client  *client.Client
	session int64
	done    atomic.Int64
	settings
}

func (d *drainer) run(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	reply, err := d.client.Register(ctx, candor.RegisterRequest{
		Protocol: candor.Protocol, Verified: true,
		Info: candor.WorkerInfo{Name: workerName, Host: "bench", PID: os.Getpid(), Classes: []candor.Class{candor.ClassCPU}, Slots: d.workers},
	})
	if err != nil {
		return 0, err
	}
	d.session = reply.Session
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for lane := range d.lanes {
		slots := d.workers / d.lanes
		if lane < d.workers%d.lanes {
			slots++
		}
		wg.Go(func() {
			if err := d.lane(ctx, slots); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	return took, context.Cause(ctx)
}

// lane works with its share of the slots: it brings the results of one round
// and takes the next in one request.
func (d *drainer) lane(ctx context.Context, slots int) error {
	var results []candor.Result
	for {
		req := candor.ClaimRequest{Session: d.session, Results: results, Max: slots}
		if d.done.Load() >= int64(d.drain) {
			req.Max = 0
		}
		reply, err := d.client.Claim(ctx, workerName, req)
		if err != nil {
			return err
		}
		if len(reply.Results) > 0 {
			return fmt.Errorf("a result was not simply taken: %+v", reply.Results[0])
		}
		if len(reply.Tasks) == 0 {
			return nil
		}
		results = results[:0]
		for _, t := range reply.Tasks {
			results = append(results, candor.Result{Task: t.Task, Lease: t.Lease, Outcome: candor.AttemptDone})
		}
		d.done.Add(int64(len(results)))
	}
}

// check makes sure that what was measured happened.
func check(ctx context.Context, c *client.Client, s settings) error {
	st, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if st.Processing != 0 {
		return fmt.Errorf("%d tasks are still processing", st.Processing)
	}
	batches, err := c.Batches(ctx, candor.BatchQuery{Limit: 10_000})
	if err != nil {
		return err
	}
	complete := 0
	for _, b := range batches {
		complete += b.Counts[candor.TaskComplete]
	}
	if complete < s.drain {
		return fmt.Errorf("%d tasks are complete, not %d", complete, s.drain)
	}
	return nil
}
