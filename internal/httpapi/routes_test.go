package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"candor"
	"candor/client"
	"candor/internal/httpapi"
	"candor/internal/httpapi/wire"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); -update rewrites it:\n%s", path, diff)
	}
}

// everyCall makes each call of the client once, by operation.
func everyCall(ctx context.Context, c *client.Client) map[wire.Op]func() error {
	req := candor.ChangeRequest{Targets: []string{theTask.String()}, By: "anna", Why: "wrong folder"}
	sub := candor.Submission{Name: "library", Steps: []candor.Step{{Name: "count", Class: candor.ClassCPU, Run: "wc"}}}
	ref, batch := theTask.String(), theBatch.String()
	return map[wire.Op]func() error{
		wire.OpSubmit:  func() error { _, err := c.Submit(ctx, sub); return err },
		wire.OpPreview: func() error { _, err := c.Preview(ctx, sub); return err },
		wire.OpBatches: func() error {
			_, err := c.Batches(ctx, candor.BatchQuery{State: candor.BatchActive, Limit: 5})
			return err
		},
		wire.OpBatch:      func() error { _, err := c.Batch(ctx, batch); return err },
		wire.OpBatchTasks: func() error { _, err := c.Tasks(ctx, batch, candor.TaskQuery{State: candor.TaskFailed}); return err },
		wire.OpTasks:      func() error { _, err := c.Tasks(ctx, "", candor.TaskQuery{Limit: 2}); return err },
		wire.OpTask:       func() error { _, err := c.Task(ctx, ref); return err },
		wire.OpAttempts:   func() error { _, err := c.Attempts(ctx, ref); return err },
		wire.OpLog: func() error {
			log, _, err := c.Log(ctx, ref, candor.LogQuery{})
			if err == nil {
				_, err = io.Copy(io.Discard, log)
				_ = log.Close()
			}
			return err
		},
		wire.OpWhy:     func() error { _, err := c.Why(ctx, "worker-1"); return err },
		wire.OpCancel:  func() error { _, err := c.Cancel(ctx, req); return err },
		wire.OpRetry:   func() error { _, err := c.Retry(ctx, req); return err },
		wire.OpPause:   func() error { _, err := c.Pause(ctx, req); return err },
		wire.OpResume:  func() error { _, err := c.Resume(ctx, req); return err },
		wire.OpDrain:   func() error { _, err := c.Drain(ctx, req); return err },
		wire.OpUndrain: func() error { _, err := c.Undrain(ctx, req); return err },
		wire.OpWorkers: func() error { _, err := c.Workers(ctx); return err },
		wire.OpModels:  func() error { _, err := c.Models(ctx); return err },
		wire.OpOrder: func() error {
			_, err := c.OrderModel(ctx, candor.OrderRequest{Kind: candor.OrderLoad, Model: "qwen2.5:7b", Workers: []string{"worker-1"}})
			return err
		},
		wire.OpRegister: func() error {
			_, err := c.Register(ctx, candor.RegisterRequest{Protocol: candor.Protocol, Info: candor.WorkerInfo{Name: "worker-1"}})
			return err
		},
		wire.OpClaim: func() error {
			_, err := c.Claim(ctx, "worker-1", candor.ClaimRequest{Session: 5, Max: 2, Wait: candor.Duration(time.Second), Results: []candor.Result{{Task: theTask, Lease: 9, Outcome: candor.AttemptDone}}})
			return err
		},
		wire.OpHeartbeat: func() error {
			_, err := c.Heartbeat(ctx, "worker-1", candor.HeartbeatRequest{Session: 5, Doing: "claim"})
			return err
		},
		wire.OpLeave: func() error { return c.Leave(ctx, "worker-1", candor.LeaveRequest{Session: 5, Why: "told to"}) },
		wire.OpHost: func() error {
			_, err := c.Host(ctx, candor.HostReport{Supervisor: "rig", Workers: []candor.HostWorker{{Name: "worker-1", PID: 12, State: "running"}}})
			return err
		},
		wire.OpStatus:  func() error { _, err := c.Status(ctx); return err },
		wire.OpResolve: func() error { _, err := c.Resolve(ctx, ref[:4]); return err },
		wire.OpEvents:  func() error { _, err := c.Events(ctx, candor.EventQuery{Last: 2}); return err },
		wire.OpHealth:  func() error { return c.Health(ctx) },
	}
}

// The document is the one call that only other programs make.
func TestClientCallsEveryRoute(t *testing.T) {
	calls := everyCall(t.Context(), nil)
	for _, route := range wire.Routes() {
		if _, ok := calls[route.Op]; !ok && route.Op != wire.OpOpenAPI {
			t.Errorf("no client call for %s %s (%s)", route.Method, route.Path, route.Op)
		}
		delete(calls, route.Op)
	}
	for op := range calls {
		t.Errorf("client call %s has no route", op)
	}
}

func TestRouteTableIsWhole(t *testing.T) {
	roles := []candor.Role{candor.RoleViewer, candor.RoleOperator, candor.RoleWorker, wire.RolePublic}
	public := 0
	seen := map[wire.Op]bool{}
	for _, route := range wire.Routes() {
		if !slices.Contains(roles, route.Role) {
			t.Errorf("%s %s has role %q", route.Method, route.Path, route.Role)
		}
		if route.Role == wire.RolePublic {
			public++
		}
		if seen[route.Op] || route.Summary == "" {
			t.Errorf("%s is there twice or has no summary", route.Op)
		}
		seen[route.Op] = true
		if (route.Request == nil) != (route.Method == http.MethodGet) || (route.Request != nil) != (route.Body > 0) {
			t.Errorf("%s: method %s, request %v and limit %d do not go together", route.Op, route.Method, route.Request, route.Body)
		}
		if route.Tolerant != (route.Role == candor.RoleWorker) {
			t.Errorf("%s: only workers' requests may have unknown fields", route.Op)
		}
		request, reply, ok := httpapi.HandlerTypes(route.Op)
		if !ok || request != route.Request || (reply != route.Reply) {
			t.Errorf("%s: handler takes %v, gives %v; the table says %v, %v", route.Op, request, reply, route.Request, route.Reply)
		}
	}
	if public != 1 {
		t.Errorf("%d public routes, want healthz alone", public)
	}
}

// TestBodies freezes what stands on the wire: each call's request and answer.
func TestBodies(t *testing.T) {
	r := start(t, "", nil)
	write(t, r.state, filepath.Join("attempts", theBatch.String(), theTask.String(), "1", "log"), "one\ntwo\n", 0o600)
	r.shelf.record(event(1), event(2), event(3))
	r.shelf.tries = []candor.Attempt{{Number: 1, Worker: "worker-1", Lease: 9, StartedAt: noon, Outcome: candor.AttemptDone}}
	tape := newTape(t, r.url)
	calls := everyCall(t.Context(), newClient(t, client.Options{URL: tape.url}))
	schemas := documented(t)
	var out bytes.Buffer
	for _, route := range wire.Routes() {
		if call, ok := calls[route.Op]; ok {
			if err := call(); err != nil {
				t.Errorf("%s: %v", route.Op, err)
			}
			fmt.Fprintf(&out, "## %s\n%s\n", route.Op, tape.take())
			validate(t, schemas, route, tape.answer)
		}
	}
	golden(t, "bodies.golden", out.Bytes())
}

// tape is a proxy that writes down what passes.
type tape struct {
	url string
	mu  sync.Mutex
	buf bytes.Buffer

	answer []byte // the last one's body
}

// documented is the document's schemas, as a schema of their own.
func documented(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := httpapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Components struct {
			Schemas map[string]*jsonschema.Schema
		}
	}
	doc = bytes.ReplaceAll(doc, []byte("#/components/schemas/"), []byte("#/$defs/"))
	if err := json.Unmarshal(doc, &parsed); err != nil {
		t.Fatal(err)
	}
	return &jsonschema.Schema{Defs: parsed.Components.Schemas}
}

// validate holds an answer against the type that the document promises.
func validate(t *testing.T, schemas *jsonschema.Schema, route wire.Route, answer []byte) {
	t.Helper()
	if route.Reply == nil {
		return
	}
	s := *schemas
	if route.Reply.Kind() == reflect.Slice {
		s.Type, s.Items = "array", &jsonschema.Schema{Ref: "#/$defs/" + route.Reply.Elem().Name()}
	} else {
		s.Ref = "#/$defs/" + route.Reply.Name()
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatalf("%s: %v", route.Op, err)
	}
	var v any
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Fatalf("%s: %v", route.Op, err)
	}
	if err := resolved.Validate(v); err != nil {
		t.Errorf("%s: the answer is not what the document says: %v\n%s", route.Op, err, answer)
	}
}

func newTape(t *testing.T, target string) *tape {
	tp := &tape{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		answer, _ := io.ReadAll(resp.Body)
		tp.mu.Lock()
		tp.answer = answer
		fmt.Fprintf(&tp.buf, "%s %s\n%s\n%d %s\n%s\n", r.Method, r.URL.RequestURI(), strings.TrimSpace(string(body)), resp.StatusCode, resp.Header.Get("Content-Type"), strings.TrimSpace(string(answer)))
		tp.mu.Unlock()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(answer)
	}))
	t.Cleanup(func() { srv.Close(); http.DefaultTransport.(*http.Transport).CloseIdleConnections() })
	tp.url = srv.URL
	return tp
}

func (tp *tape) take() string {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	defer tp.buf.Reset()
	return tp.buf.String()
}

func TestDocument(t *testing.T) {
	doc, err := httpapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "openapi.golden.json", append(doc, '\n'))
	var parsed struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(doc, &parsed); err != nil {
		t.Fatal(err)
	}
	for _, route := range wire.Routes() {
		if got := parsed.Paths[route.Path][strings.ToLower(route.Method)].OperationID; got != string(route.Op) {
			t.Errorf("%s %s is operation %q in the document, want %q", route.Method, route.Path, got, route.Op)
		}
	}
	for _, ref := range strings.Split(string(doc), `"$ref": "#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(ref, `"`)
		if parsed.Components.Schemas[name] == nil {
			t.Errorf("the document points to %s, which it does not have", name)
		}
	}
	r := start(t, "", nil)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/v1/openapi.json", nil)
	served, err := io.ReadAll(do(t, req).Body)
	if err != nil || !reflect.DeepEqual(served, doc) {
		t.Errorf("the served document is another one (%v)", err)
	}
}

func TestAPIPageNamesEveryRoute(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range wire.Routes() {
		if row := fmt.Sprintf("| `%s %s` | %s |", route.Method, route.Path, route.Role); !strings.Contains(string(page), row) {
			t.Errorf("docs/api.md lacks a row %s", row)
		}
	}
}

func event(seq int64) candor.Event {
	return candor.Event{Seq: seq, At: noon.Add(time.Duration(seq) * time.Second), Level: candor.LevelInfo, Code: candor.EventTaskComplete,
		Text: fmt.Sprintf("event %d", seq), Worker: fmt.Sprintf("worker-%d", seq%2)}
}
