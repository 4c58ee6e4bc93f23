package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"candor"
)

// fakeBrain answers reads with what it is given, and remembers changes.
type fakeBrain struct {
	*httptest.Server
	replies map[string]any // by method and path, with or without the query
	asked   []candor.ChangeRequest
}

func newFakeBrain(t *testing.T, replies map[string]any) *fakeBrain {
	t.Helper()
	b := &fakeBrain{replies: replies}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, ok := b.replies[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			reply, ok = b.replies[r.Method+" "+r.URL.Path]
		}
		if list, many := reply.(func() any); many {
			reply = list()
		}
		if r.Method == http.MethodPost {
			var req candor.ChangeRequest
			_ = json.NewDecoder(r.Body).Decode(&req)
			b.asked = append(b.asked, req)
		}
		if e, isError := reply.(*candor.Error); isError || !ok {
			if !ok {
				e = candor.Errorf(candor.CodeNotFound, "no %s", r.URL.Path)
			}
			w.WriteHeader(http.StatusNotFound)
			reply = map[string]any{"error": e}
		}
		_ = json.NewEncoder(w).Encode(reply)
	}))
	t.Cleanup(b.Close)
	return b
}

func TestCompletionOffersWhatExists(t *testing.T) {
	b := newFakeBrain(t, map[string]any{
		"GET /v1/batches": []candor.Batch{sampleBatch()},
		"GET /v1/tasks":   []candor.Task{sampleFailed()},
		"GET /v1/workers": []candor.Worker{sampleWorker()},
		"GET /v1/models":  sampleModels(),

		"GET /v1/batches?kind=order": []candor.Batch{{ID: batchB, Kind: candor.BatchOrder, Name: "load_llm m", State: candor.BatchActive}},
	})
	tests := []struct {
		line  []string
		want  []string // beginnings of the offers, in order
		first bool     // only the first are looked at
	}{
		{line: []string{"show", "b_"}, want: []string{"b_ybvqcaea\tlibrary", batchB.String() + "\tload_llm m active"}},
		{line: []string{"why", "w"}, want: []string{"worker-1\tcold"}},
		{line: []string{"logs", "t_"}, want: []string{"t_xk9zaf3z\ttopics[7] failed"}, first: true},
		{line: []string{"worker", "drain", ""}, want: []string{"worker-1\tcold"}},
		{line: []string{"model", "load", "q"}, want: []string{"qwen2.5:7b\tloaded on gpu-0"}},
		{line: []string{"model", "unload", "m", "--worker", "w"}, want: []string{"worker-1\tcold"}},
		{line: []string{"sim", "--fault", "h"}, want: []string{"hang"}},
		{line: []string{"ls", "--output", ""}, want: []string{"table", "wide", "json", "jsonl", "tsv"}},
		{line: []string{"ls", "--status", "b"}, want: []string{"blocked"}},
		{line: []string{"config", "show", "lea"}, want: []string{"lease\tSilence"}},
		{line: []string{"pause", "class:s"}, want: []string{"class:script"}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.line, " "), func(t *testing.T) {
			c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
			if code := c.run(t.Context(), append([]string{"__complete"}, tt.line...)); code != exitOK {
				t.Fatalf("exit code %d: %s", code, c.err.String())
			}
			got := strings.Split(strings.TrimSpace(c.out.String()), "\n")
			got = got[:len(got)-1] // the directive
			if len(got) < len(tt.want) || !tt.first && len(got) != len(tt.want) {
				t.Fatalf("offers %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("offer %q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestCompletionWithoutABrainOffersNothing(t *testing.T) {
	c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": "http://127.0.0.1:1"})
	if code := c.run(t.Context(), []string{"__complete", "show", ""}); code != exitOK || !strings.HasPrefix(c.out.String(), ":") {
		t.Errorf("exit code %d, offers %q", code, c.out.String())
	}
}

func TestNamesAreResolved(t *testing.T) {
	b := newFakeBrain(t, map[string]any{
		"GET /v1/resolve/b_yb":                          candor.Refs{Batches: []candor.BatchID{batchA}},
		"GET /v1/resolve/t_":                            candor.Refs{Tasks: []candor.TaskID{taskA, taskB}},
		"GET /v1/resolve/worker-1":                      candor.Refs{Workers: []string{"worker-1", "worker-10"}},
		"GET /v1/resolve/zz":                            candor.Refs{},
		"GET /v1/batches/" + batchA.String():            sampleBatch(),
		"GET /v1/tasks":                                 []candor.Task{sampleFailed()},
		"GET /v1/batches/" + batchA.String() + "/tasks": []candor.Task{sampleFailed()},
		"GET /v1/workers":                               []candor.Worker{sampleWorker()},
	})
	tests := []struct {
		ref      string
		code     int
		out, err string
	}{
		{ref: "b_yb", out: "b_ybvqcaea"},
		{ref: "worker-1", out: "worker-1  script, llm  cold"},
		{ref: "worker:worker-1", out: "worker-1  script, llm  cold"},
		{ref: "worker:worker-2", code: exitUsage, err: "hint: did you mean worker-1?"},
		{ref: "t_", code: exitUsage, err: `"t_" could be t_xk9zaf3z, t_fwax7zq0`},
		{ref: "zz", code: exitUsage, err: `nothing is named "zz"`},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
			code := c.run(t.Context(), []string{"show", tt.ref})
			if code != tt.code || !strings.Contains(c.out.String(), tt.out) || !strings.Contains(c.err.String(), tt.err) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, tt.code, c.out.String(), c.err.String())
			}
		})
	}
}

func TestCancelReturnsWhenProcessesAreGone(t *testing.T) {
	looks := 0
	b := newFakeBrain(t, map[string]any{
		"POST /v1/cancel": candor.ChangeReply{Changed: []candor.Changed{{Target: "b_yb", Batch: batchA, Tasks: 3, Pending: 2, Text: "3 tasks cancelled"}}},
		"GET /v1/batches/" + batchA.String(): func() any {
			looks++
			batch := sampleBatch()
			if looks > 2 {
				batch.State, batch.Outcome = candor.BatchComplete, candor.OutcomeCancelled
			}
			return batch
		},
	})
	c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
	if code := c.run(t.Context(), []string{"cancel", "b_yb", "--why", "test"}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	if looks != 3 {
		t.Errorf("looked %d times, want 3: until nothing is pending", looks)
	}
	if len(b.asked) != 1 || b.asked[0].Why != "test" || b.asked[0].By == "" || b.asked[0].Targets[0] != "b_yb" {
		t.Errorf("asked for %+v", b.asked)
	}
	if got := c.out.String(); got != "b_yb: 3 tasks cancelled; 2 of them were running and are gone\n" {
		t.Errorf("answer %q", got)
	}

	looks = 0
	c = newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
	if code := c.run(t.Context(), []string{"cancel", "b_yb", "--no-wait", "--json"}); code != exitOK || looks != 0 {
		t.Errorf("--no-wait: exit code %d, looked %d times", code, looks)
	}
	if !strings.Contains(c.out.String(), `"schema": "candor/changes/v1"`) || !strings.Contains(c.out.String(), `"pending": 2`) {
		t.Errorf("answer %s", c.out.String())
	}
}

func TestWaitLeavesWithTheOutcome(t *testing.T) {
	for outcome, code := range map[candor.Outcome]int{
		candor.OutcomeSucceeded: exitOK, candor.OutcomeFailed: exitTasksFailed, candor.OutcomeCancelled: exitCancelled,
	} {
		t.Run(string(outcome), func(t *testing.T) {
			batch := sampleBatch()
			batch.State, batch.Outcome, batch.Counts = candor.BatchComplete, outcome, nil
			b := newFakeBrain(t, map[string]any{"GET /v1/batches/" + batchA.String(): batch})
			c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
			if got := c.run(t.Context(), []string{"wait", batchA.String()}); got != code {
				t.Errorf("exit code %d, want %d: %s", got, code, c.err.String())
			}
		})
	}
	b := newFakeBrain(t, map[string]any{"GET /v1/batches/" + batchA.String(): sampleBatch()})
	c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
	if got := c.run(t.Context(), []string{"wait", batchA.String(), "--timeout", "100ms"}); got != exitTimeout {
		t.Errorf("exit code %d, want %d: %s", got, exitTimeout, c.err.String())
	}
}
