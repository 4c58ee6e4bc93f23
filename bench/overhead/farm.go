package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"candor"
	"candor/client"
)

// farm is candor: a brain and a worker, each a process as in life, with the
// server attached.
type farm struct {
	dir           string
	env           []string
	client        *client.Client
	brain, worker *process
}

const workerName = "bench"

func startFarm(ctx context.Context, s settings, v *server, dir string) (f *farm, err error) {
	state := filepath.Join(dir, "state")
	f = &farm{dir: dir, env: []string{
		"CANDOR_STATE_DIR=" + state, "CANDOR_CONFIG=", "NO_COLOR=1",
		"CANDOR_MODELS_PARALLEL=" + strconv.Itoa(s.slots), "CANDOR_MODELS_CONTEXT=" + strconv.Itoa(contextLen), "CANDOR_MODELS_ON_GPU=allow", // the rate is what is asked for here
	}}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.stop())
		}
	}()
	if f.client, err = client.New(client.Options{URL: "unix://" + filepath.Join(state, "candor.sock")}); err != nil {
		return f, err
	}
	if f.brain, err = start(ctx, "the brain", "", f.env, "brain"); err != nil {
		return f, err
	}
	if err := f.brain.until(ctx, func(ctx context.Context) bool { _, err := f.client.Status(ctx); return err == nil }); err != nil {
		return f, err
	}
	f.worker, err = start(ctx, "the worker", "", f.env, "worker", "--name", workerName, "--model-server", v.url)
	return f, err
}

// run has candor answer all rows, as somebody who waits for it sees it.
func (f *farm) run(ctx context.Context, b batch) (turn, error) {
	plan, err := b.plan()
	if err != nil {
		return turn{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return turn{}, err
	}
	cmd := exec.CommandContext(ctx, self, "submit", plan, "--wait", "--json")
	cmd.Env = append(append(os.Environ(), f.env...), roleVar+"=candor")
	begin := time.Now()
	out, err := cmd.Output()
	took := time.Since(begin)
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s\n%s%s", err, e.Stderr, out, f.worker.out.String())
		}
		return turn{}, err
	}
	var ended struct {
		Batch candor.BatchID `json:"id"`
	}
	if err := json.Unmarshal(out, &ended); err != nil {
		return turn{}, fmt.Errorf("submit printed %q: %w", out, err)
	}
	tokens, err := f.count(ended.Batch, len(b.prompt))
	return turn{len(b.prompt), tokens, took}, err
}

// count reads the results of a batch: each row must have an answer.
func (f *farm) count(id candor.BatchID, rows int) (int, error) {
	dir := filepath.Join(f.dir, "state", "batches", id.String(), step)
	files, err := filepath.Glob(filepath.Join(dir, "*", "result*.json*"))
	if err != nil {
		return 0, err
	}
	answers, tokens := 0, 0
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return 0, err
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r candor.RowResult
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.Error != nil {
				return 0, errors.Join(fmt.Errorf("%s: a row without an answer: %s", path, lines.Text()), err, file.Close())
			}
			answers++
			tokens += r.Tokens
		}
		if err := errors.Join(lines.Err(), file.Close()); err != nil {
			return 0, err
		}
	}
	if answers != rows {
		return 0, fmt.Errorf("%d rows have an answer in %s, of %d", answers, dir, rows)
	}
	return tokens, nil
}

func (f *farm) stop() error {
	var errs []error
	for _, p := range []*process{f.worker, f.brain} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(errs...)
}
