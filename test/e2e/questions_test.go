//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"candor"
)

// plan writes a plan file and returns its path.
func (f *farm) plan(name, tasks string) string {
	f.t.Helper()
	return f.write(name+".yaml", fmt.Sprintf("name: %s\ntasks:\n%s", name, indent(tasks)))
}

func indent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	cut := len(lines[0]) - len(strings.TrimLeft(lines[0], " \t"))
	for i, l := range lines {
		if len(l) >= cut {
			l = l[cut:]
		}
		lines[i] = "  " + strings.ReplaceAll(l, "\t", "  ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// submit hands a plan in through the CLI.
func (f *farm) submit(name, tasks string, flags ...string) candor.BatchID {
	f.t.Helper()
	var reply candor.SubmitReply
	f.candor(append([]string{"submit", f.plan(name, tasks), "--json"}, flags...)...).ok().json(&reply)
	return reply.Batch
}

// batch asks for a batch; it may be asked while the brain is away.
func (f *farm) batch(id candor.BatchID) (candor.Batch, error) {
	return f.c.Batch(f.t.Context(), id.String())
}

// ends waits until a batch has ended.
func (f *farm) ends(id candor.BatchID) candor.Batch {
	f.t.Helper()
	var b candor.Batch
	f.until(fmt.Sprintf("batch %s ends", id), func() bool {
		var err error
		b, err = f.batch(id)
		return err == nil && b.State == candor.BatchComplete
	})
	return b
}

// tasks lists the tasks of a batch, by id.
func (f *farm) tasks(id candor.BatchID) []candor.Task {
	f.t.Helper()
	tasks, err := f.c.Tasks(f.t.Context(), id.String(), candor.TaskQuery{Limit: 10_000})
	if err != nil {
		f.t.Fatal(err)
	}
	return tasks
}

// task is the task of that name in a batch.
func (f *farm) task(id candor.BatchID, name string) candor.Task {
	f.t.Helper()
	for _, t := range f.tasks(id) {
		if t.Name == name {
			return t
		}
	}
	f.t.Fatalf("batch %s has no task %s", id, name)
	return candor.Task{}
}

// reaches waits until a task is in a state.
func (f *farm) reaches(id candor.BatchID, name string, state candor.TaskState) candor.Task {
	f.t.Helper()
	var t candor.Task
	f.until(fmt.Sprintf("%s is %s", name, state), func() bool {
		t = f.task(id, name)
		return t.State == state
	})
	return t
}

func (f *farm) attempts(id candor.TaskID) []candor.Attempt {
	f.t.Helper()
	all, err := f.c.Attempts(f.t.Context(), id.String())
	if err != nil {
		f.t.Fatal(err)
	}
	return all
}

// why asks by the CLI, as a script would.
func (f *farm) why(target string) candor.Explanation {
	f.t.Helper()
	var x candor.Explanation
	f.candor("why", target, "--json").ok().json(&x)
	return x
}

// saysWhy wants the code, the mover and some words of an explanation.
func (f *farm) saysWhy(target string, code candor.ReasonCode, mover candor.Mover, words ...string) candor.Explanation {
	f.t.Helper()
	x := f.why(target)
	f.reason(&x.Reason, code, mover, words...)
	return x
}

func (f *farm) reason(r *candor.Reason, code candor.ReasonCode, mover candor.Mover, words ...string) {
	f.t.Helper()
	if r == nil {
		f.t.Errorf("no reason, want %s", code)
		return
	}
	if r.Code != code || r.Mover != mover {
		f.t.Errorf("the reason is %s and the move %s's, want %s and %s: %s", r.Code, r.Mover, code, mover, r.Text)
	}
	for _, w := range words {
		if !strings.Contains(r.Text, w) {
			f.t.Errorf("the reason does not say %q: %s", w, r.Text)
		}
	}
}

// events are those of a code, oldest first; "" is any.
func (f *farm) events(code candor.EventCode) []candor.Event {
	f.t.Helper()
	var out []candor.Event
	for after := int64(0); ; {
		page, err := f.c.Events(f.t.Context(), candor.EventQuery{After: after, Limit: 1000})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, e := range page {
			after = e.Seq
			if code == "" || e.Code == code {
				out = append(out, e)
			}
		}
		if len(page) == 0 {
			return out
		}
	}
}

// once wants exactly one event of a code with these words.
func (f *farm) once(code candor.EventCode, words ...string) candor.Event {
	f.t.Helper()
	var hits []candor.Event
	f.soon(func() bool {
		hits = nil
		for _, e := range f.events(code) {
			if hasAll(e.Text, words) {
				hits = append(hits, e)
			}
		}
		return len(hits) > 0
	})
	if len(hits) == 1 {
		return hits[0]
	}
	var all []string
	for _, e := range f.events(code) {
		all = append(all, e.Text)
	}
	f.t.Errorf("%s with %q was told %d times, want once; all of them: %q", code, words, len(hits), all)
	return candor.Event{}
}

func hasAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// soon gives what is written behind the answers, such as a log, the time to be
// there. It does not fail: who called looks at what came.
func (f *farm) soon(ok func() bool) {
	limit := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			return
		}
	}
}

func (f *farm) worker(name string) candor.Worker {
	f.t.Helper()
	all, err := f.c.Workers(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, w := range all {
		if w.Name == name {
			return w
		}
	}
	return candor.Worker{}
}

// line is one record of a process's JSON log.
type line struct {
	Time      string `json:"time"`
	Level     string `json:"level"`
	Component string `json:"component"`
	Code      string `json:"code"`
	Text      string `json:"msg"`
	Worker    string `json:"worker"`
	Task      string `json:"task"`
	Lease     int64  `json:"lease"`
	Stack     string `json:"stack"`
}

// log reads the JSON log of a process; nothing if there is none yet.
func (f *farm) log(component string) []line {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.state, "logs", component+".jsonl"))
	if err != nil {
		return nil
	}
	var out []line
	for l := range bytes.Lines(text) {
		var v line
		if json.Unmarshal(l, &v) == nil { // the last one may be half written by a process that was killed
			out = append(out, v)
		}
	}
	return out
}

// logged wants n lines with all these words in a log.
func (f *farm) logged(component string, n int, words ...string) []line {
	f.t.Helper()
	var hits []line
	f.soon(func() bool {
		hits = nil
		for _, l := range f.log(component) {
			if hasAll(l.Text, words) {
				hits = append(hits, l)
			}
		}
		return len(hits) >= n
	})
	if len(hits) != n {
		f.t.Errorf("the log of %s says %q %d times, want %d", component, words, len(hits), n)
	}
	return hits
}
