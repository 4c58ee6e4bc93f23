package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"candor"
	"candor/client"
	"candor/internal/httpapi"
	"candor/internal/httpapi/wire"
	"candor/internal/sched"
)

func send(t *testing.T, r *rig, path, body string) (int, *candor.Error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp := do(t, req)
	var p wire.Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, p.Error
}

func TestBadBodiesAreNamed(t *testing.T) {
	r := start(t, "", nil)
	for _, tc := range []struct{ name, path, body, want string }{
		{"unknown field", "/v1/batches", `{"name":"x","stepz":[]}`, `unknown field "stepz"`},
		{"unknown field within", "/v1/pause", `{"targets":["all"],"dryrun":true}`, `unknown field "dryrun"`},
		{"wrong kind", "/v1/batches", `{"steps":[{"retries":"two"}]}`, "field steps.retries is string, not a fitting number"},
		{"bad duration", "/v1/batches", `{"steps":[{"timeout":"soon"}]}`, `"soon" is not a duration`},
		{"cut", "/v1/pause", `{"targets":["a`, "not what it should be: unexpected EOF"},
		{"no JSON", "/v1/pause", `targets=all`, "the request is not JSON"},
		{"empty", "/v1/pause", ``, "no body"},
		{"two values", "/v1/pause", `{"targets":["all"]}{}`, "goes on after"},
		{"worker's claim", "/v1/workers/w/claim", `{"session":"x"}`, "field session is string, not a fitting number"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, e := send(t, r, tc.path, tc.body)
			if status != http.StatusBadRequest || e == nil || e.Code != candor.CodeInvalid || !strings.Contains(e.Message, tc.want) {
				t.Errorf("status %d, %+v, want %q", status, e, tc.want)
			}
		})
	}
	if len(r.brain.seen) != 0 {
		t.Errorf("the brain saw %v", r.brain.seen)
	}
}

func TestWorkersMayBeNewerThanTheBrain(t *testing.T) {
	r := start(t, "", nil)
	for _, path := range []string{"/v1/workers", "/v1/workers/w/claim", "/v1/workers/w/heartbeat", "/v1/workers/w/leave", "/v1/host"} {
		if status, e := send(t, r, path, `{"session":1,"mood":"fine"}`); status != http.StatusOK {
			t.Errorf("%s: status %d, %v", path, status, e)
		}
	}
}

func TestBodiesHaveLimits(t *testing.T) {
	r := start(t, "", nil)
	for name, body := range map[string]io.Reader{
		"announced":   strings.NewReader(strings.Repeat(" ", wire.SmallBody+1)),
		"unannounced": io.MultiReader(strings.NewReader(strings.Repeat(" ", wire.SmallBody+1))), // met while reading
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/pause", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Expect", "100-continue") // as the client does: a refusal saves the sending
		resp := do(t, req)
		answer, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(answer, []byte("larger than 1 MiB")) {
			t.Errorf("%s: status %d, %s, %v", name, resp.StatusCode, answer, err)
		}
	}
}

func TestBrokenOffBodyIsTheCallersFault(t *testing.T) {
	r := start(t, "", nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(conn, "POST /v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"targets\"")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusBadRequest || !bytes.Contains(body, []byte("broke off")) {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
}

func TestBrainsErrorsPassWhole(t *testing.T) {
	r := start(t, "", nil)
	r.brain.answer = func(context.Context, sched.Command) (any, error) {
		return nil, fmt.Errorf("apply: %w", &candor.Error{Code: candor.CodeConflict, Message: "the key is taken", Hint: "candor show b_x", Detail: map[string]any{"batch": "b_x"}})
	}
	_, err := r.client(t, "").Submit(t.Context(), candor.Submission{})
	wantCode(t, err, candor.CodeConflict)
	if e, ok := errors.AsType[*candor.Error](err); !ok || e.Hint != "candor show b_x" || e.Detail["batch"] != "b_x" || e.Message != "the key is taken" {
		t.Errorf("error arrived as %#v", err)
	}
	r.brain.answer = func(context.Context, sched.Command) (any, error) { return nil, io.ErrUnexpectedEOF }
	_, err = r.client(t, "").Submit(t.Context(), candor.Submission{})
	wantCode(t, err, candor.CodeInternal)
	r.brain.answer = func(context.Context, sched.Command) (any, error) { panic("oh") }
	_, err = r.client(t, "").Submit(t.Context(), candor.Submission{})
	wantCode(t, err, candor.CodeInternal)
	if log := r.log.String(); !strings.Contains(log, "crashed while answering POST /v1/batches: oh") || !strings.Contains(log, "unexpected EOF") {
		t.Errorf("the log does not tell:\n%s", log)
	}
	r.brain.answer = func(context.Context, sched.Command) (any, error) { return candor.Status{Trouble: "disk full"}, nil }
	wantCode(t, r.client(t, "").Health(t.Context()), candor.CodeUnavailable)
}

func TestPrefixes(t *testing.T) {
	r := start(t, "", nil)
	c := r.client(t, "")
	task, err := c.Task(t.Context(), theTask.String()[:5])
	if err != nil || task.ID != theTask || task.Progress == nil {
		t.Errorf("task is %v, %v", task, err)
	}
	_, err = c.Task(t.Context(), "t_")
	wantCode(t, err, candor.CodeAmbiguous)
	for i := range 6 {
		r.shelf.tasks = append(r.shelf.tasks, candor.Task{ID: theTask + 3 + candor.TaskID(i)})
	}
	_, err = c.Task(t.Context(), "t_")
	if n := strings.Count(err.Error(), "t_") - 1; err == nil || !strings.HasSuffix(err.Error(), "…") || n != 5 {
		t.Errorf("%v does not list five and say that there are more", err)
	}
	for ref, code := range map[string]candor.Code{"t_zzz": candor.CodeNotFound, "b_": candor.CodeNotFound, "..": candor.CodeInvalid, "a/b?c#d": candor.CodeNotFound, strings.Repeat("x", 300): candor.CodeInvalid} {
		_, err = c.Task(t.Context(), ref)
		wantCode(t, err, code)
	}
	if b, err := c.Batch(t.Context(), theBatch.String()[:3]); err != nil || b.ID != theBatch || b.Paused == nil || b.Paused.By != "anna" {
		t.Errorf("batch is %v, %v", b, err)
	}
	_, err = c.Tasks(t.Context(), "b_00000000", candor.TaskQuery{})
	wantCode(t, err, candor.CodeNotFound)
	// What has left the brain's memory is explained from the store.
	why, err := c.Why(t.Context(), theTask.String())
	if err != nil || why.Reason.Code != candor.ReasonDone || why.Revision != 12 {
		t.Errorf("why is %+v, %v", why, err)
	}
	_, err = c.Why(t.Context(), "worker-9")
	wantCode(t, err, candor.CodeNotFound)
}

func TestBadQueriesAreNamed(t *testing.T) {
	r := start(t, "", nil)
	for query, want := range map[string]string{
		"/v1/tasks?stat=queued":                             `"stat" is no parameter`,
		"/v1/tasks?state=asleep":                            `"state" is "asleep", not one of`,
		"/v1/tasks?limit=1000000":                           "not a number from 0 to 10000",
		"/v1/tasks?after=t_1":                               "not a whole id",
		"/v1/events?level=LOUD":                             `"level" is "LOUD"`,
		"/v1/batches?state=running":                         `"state" is "running"`,
		"/v1/tasks/" + theTask.String() + "/log?follow=yes": `"follow" is "yes"`,
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+query, nil)
		body, _ := io.ReadAll(do(t, req).Body)
		var p wire.Problem
		if err := json.Unmarshal(body, &p); err != nil || p.Error == nil || p.Error.Code != candor.CodeInvalid || !strings.Contains(p.Error.Message, want) {
			t.Errorf("%s: %s, want %q", query, body, want)
		}
	}
}

// A page of a megabyte each way, as claims of many slots are.
func TestManyClaimsAtOnce(t *testing.T) {
	r := start(t, "", nil)
	c := newClient(t, client.Options{URL: r.url})
	const claims, tasks = 32, 200
	errs := make(chan error, claims)
	for i := range claims {
		go func() {
			req := candor.ClaimRequest{Session: int64(i), Max: tasks}
			for range tasks {
				req.Results = append(req.Results, candor.Result{Task: theTask, Lease: int64(i), Outcome: candor.AttemptFailed, Tail: strings.Repeat("x", 1000)})
			}
			reply, err := c.Claim(t.Context(), "w", req)
			if err == nil && len(reply.Tasks) != tasks {
				err = fmt.Errorf("%d tasks", len(reply.Tasks))
			}
			errs <- err
		}()
	}
	for range claims {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"x","steps":[{"name":"a","class":"cpu","timeout":"1s","vram":"6GiB","each":{"items":[1,"a",{}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var sub candor.Submission
		if err := httpapi.Decode(data, &sub, false); err != nil {
			if candor.CodeOf(err) != candor.CodeInvalid {
				t.Errorf("%q: code %s", data, candor.CodeOf(err))
			}
			return
		}
		if !json.Valid(data) {
			t.Errorf("%q was taken, and is no JSON", data)
		}
	})
}
