package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
	"candor/internal/sched"
)

const (
	logPoll = 250 * time.Millisecond // how soon a follower sees what was printed
	// logStart is how long a worker may take between claiming an attempt and
	// opening its log, before a follower is told that there is none.
	logStart = 2 * time.Second
	logChunk = 64 << 10
)

// log serves what an attempt printed, from this host's disk.
func (c *call) log() error {
	q := c.query()
	want := q.Log()
	if err := q.Err(); err != nil {
		return err
	}
	id, err := c.taskID()
	if err != nil {
		return err
	}
	t, err := c.opts.Store.Task(c.ctx(), id)
	if err != nil {
		return err
	}
	if want.Attempt == 0 {
		want.Attempt = t.Attempt
	}
	if t.Attempt == 0 {
		return &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("task %s has not begun, so there is no log", id),
			Hint: "candor why " + id.String()}
	}
	if want.Attempt < 1 || want.Attempt > t.Attempt {
		return candor.Errorf(candor.CodeNotFound, "task %s has no attempt %d: %d begun so far", id, want.Attempt, t.Attempt)
	}
	f, err := c.openLog(&t, want.Attempt)
	for waited := time.Duration(0); want.Follow && errors.Is(err, fs.ErrNotExist) && runs(&t, want.Attempt) && waited < logStart; waited += logPoll {
		if err := c.clock.Sleep(c.ctx(), logPoll); err != nil {
			return err
		}
		f, err = c.openLog(&t, want.Attempt)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if none := c.noLog(&t, want.Attempt); none != nil {
			return none
		}
	}
	if err != nil {
		return c.elsewhere(&t, want.Attempt, err)
	}
	defer func() { _ = f.Close() }()
	return c.sendLog(f, &t, want)
}

// openLog opens the log by a path made of ids only.
func (c *call) openLog(t *candor.Task, attempt int) (*os.File, error) {
	if c.logs == nil {
		return nil, fs.ErrNotExist
	}
	f, err := c.logs.Open(path.Join("attempts", t.Batch.String(), t.ID.String(), strconv.Itoa(attempt), "log"))
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fs.ErrNotExist, err, f.Close())
	}
	return f, nil
}

func (c *call) sendLog(f *os.File, t *candor.Task, want candor.LogQuery) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat log: %w", err)
	}
	start := want.Offset
	if start < 0 {
		start = max(0, info.Size()+start)
	}
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return fmt.Errorf("seek log: %w", err)
	}
	running := runs(t, want.Attempt)
	h := c.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set(wire.HeaderTask, t.ID.String())
	h.Set(wire.HeaderAttempt, strconv.Itoa(want.Attempt))
	h.Set(wire.HeaderOffset, strconv.FormatInt(start, 10))
	h.Set(wire.HeaderRunning, strconv.FormatBool(running))
	if !want.Follow || !running {
		if c.r.Header.Get("Range") != "" && want.Offset == 0 {
			http.ServeContent(c.w, c.r, "", time.Time{}, f)
			return nil
		}
		return c.copyLog(f)
	}
	return c.followLog(f, t.ID, want.Attempt)
}

// runs tells whether attempt n of t goes on.
func runs(t *candor.Task, n int) bool {
	return t.State == candor.TaskProcessing && t.Attempt == n
}

// followLog copies what is there, again and again, until the attempt has ended.
// It asks whether it has before it reads, so that the last words are not missed.
func (c *call) followLog(f *os.File, id candor.TaskID, attempt int) error {
	for {
		t, err := c.opts.Store.Task(c.ctx(), id)
		if err != nil && candor.CodeOf(err) != candor.CodeNotFound {
			return abort(err)
		}
		if err := c.copyLog(f); err != nil {
			return err
		}
		if err != nil || !runs(&t, attempt) {
			return nil
		}
		if err := c.clock.Sleep(c.ctx(), logPoll); err != nil {
			return abort(err)
		}
	}
}

// copyLog sends the rest of f. From its first byte on, errors can only cut the
// connection.
func (c *call) copyLog(f *os.File) error {
	conn := http.NewResponseController(c.w)
	buf := make([]byte, logChunk)
	for {
		n, err := f.Read(buf)
		if n > 0 {
			_ = conn.SetWriteDeadline(c.clock.Now().Add(writeTimeout))
			if _, err := c.w.Write(buf[:n]); err != nil {
				return abort(err)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if err := conn.Flush(); err != nil {
				return abort(err)
			}
			return nil
		case err != nil:
			return abort(err)
		}
	}
}

// abort ends an answer under way so that the client sees it is cut.
func abort(error) error { panic(http.ErrAbortHandler) }

// noLog says of an attempt that asks a model itself that there is no log of it,
// and how it ended instead; nil: it is of a command.
func (c *call) noLog(t *candor.Task, attempt int) error {
	b, err := c.opts.Store.Batch(c.ctx(), t.Batch)
	if err != nil {
		return fmt.Errorf("read the task's batch: %w", err)
	}
	if !slices.ContainsFunc(b.Steps, func(st candor.StepView) bool { return st.Name == t.Step && st.Asks }) {
		return nil
	}
	attempts, err := c.opts.Store.Attempts(c.ctx(), t.ID)
	if err != nil {
		return fmt.Errorf("list attempts: %w", err)
	}
	text := fmt.Sprintf("%s asks a model itself and prints nothing, so attempt %d has no log", t.ID, attempt)
	for _, a := range attempts {
		switch {
		case a.Number != attempt:
		case a.Reason != nil:
			text += "; it ended with: " + a.Reason.Text
		case a.Rows != nil && a.Rows.First != "":
			text += "; the first of its rows that failed: " + a.Rows.First
		}
	}
	hint := "candor show " + t.ID.String() + " shows its rows"
	if c.opts.BatchRoot != "" && t.State.Final() {
		hint += "; each one's answer or error is in " + filepath.Join(c.opts.BatchRoot, t.Batch.String(), t.Step)
	}
	return &candor.Error{Code: candor.CodeNotFound, Message: text, Hint: hint, Detail: map[string]any{"task": t.ID, "attempt": attempt}}
}

// elsewhere says where a log is that is not here, with the end of it if the
// attempt ended badly enough for its worker to send one.
func (c *call) elsewhere(t *candor.Task, attempt int, cause error) error {
	if !errors.Is(cause, fs.ErrNotExist) {
		return fmt.Errorf("open log: %w", cause)
	}
	e := &candor.Error{Code: candor.CodeNotFound, Detail: map[string]any{"task": t.ID, "attempt": attempt},
		Message: fmt.Sprintf("the log of attempt %d of %s is not on the brain's host", attempt, t.ID)}
	worker, dir := t.Worker, ""
	attempts, err := c.opts.Store.Attempts(c.ctx(), t.ID)
	if err != nil {
		return fmt.Errorf("list attempts: %w", err)
	}
	for _, a := range attempts {
		if a.Number == attempt {
			worker, dir = a.Worker, a.Dir
			if a.Tail != "" {
				e.Detail["tail"] = a.Tail
			}
		}
	}
	e.Detail["worker"] = worker
	host := c.hostOf(c.ctx(), worker)
	e.Hint = fmt.Sprintf("it ran on %s, host %s", worker, host)
	e.Detail["host"] = host
	if dir != "" {
		e.Hint += ", in " + dir
		e.Detail["dir"] = dir
	}
	return e
}

// hostOf names a worker's host, as far as the brain still knows the worker.
func (c *call) hostOf(ctx context.Context, worker string) string {
	workers, err := do[[]candor.Worker](ctx, c.Server, sched.Workers{})
	if err == nil {
		for i := range workers {
			if workers[i].Name == worker && workers[i].Host != "" {
				return workers[i].Host
			}
		}
	}
	return "unknown"
}
