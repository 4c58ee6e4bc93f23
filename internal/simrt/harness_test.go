package simrt_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/simrt"
)

// Without sockets, a simulated server runs in virtual time.
type fixture struct {
	t   *testing.T
	sim *simrt.Server
}

func newFixture(t *testing.T, o simrt.Options) fixture {
	o.Clock = clock.System()
	return fixture{t, simrt.New(o)}
}

// do sends a request and returns status and body.
func (f fixture) do(method, path, body string) (int, string) {
	f.t.Helper()
	rec := httptest.NewRecorder()
	f.sim.ServeHTTP(rec, httptest.NewRequestWithContext(f.t.Context(), method, path, strings.NewReader(body)))
	if rec.Header().Get(simrt.Header) != "true" {
		f.t.Errorf("%s %s: the reply does not say that it is simulated", method, path)
	}
	return rec.Code, rec.Body.String()
}

// line is what tests read of a reply.
type line struct {
	Error    string
	Response string
	Message  struct{ Content string }
	Done     bool
	Reason   string `json:"done_reason"`
	Read     int    `json:"prompt_eval_count"`
	Wrote    int    `json:"eval_count"`
	Load     int64  `json:"load_duration"`
	Eval     int64  `json:"eval_duration"`
}

// ask posts a request to /api/generate and returns its lines.
func (f fixture) ask(body string) (int, []line) {
	f.t.Helper()
	status, text := f.do(http.MethodPost, "/api/generate", body)
	var all []line
	for dec := json.NewDecoder(strings.NewReader(text)); dec.More(); {
		var l line
		if err := dec.Decode(&l); err != nil {
			f.t.Fatalf("%v in %s", err, text)
		}
		all = append(all, l)
	}
	return status, all
}

// loaded lists the models in memory as "name vram/size".
func (f fixture) loaded() []resident {
	f.t.Helper()
	_, text := f.do(http.MethodGet, "/api/ps", "")
	var ps struct{ Models []resident }
	if err := json.Unmarshal([]byte(text), &ps); err != nil {
		f.t.Fatal(err)
	}
	return ps.Models
}

type resident struct {
	Name    string
	Digest  string
	Size    int64
	VRAM    int64     `json:"size_vram"`
	Context int       `json:"context_length"`
	Expires time.Time `json:"expires_at"`
}

func names(all []resident) string {
	var list []string
	for _, r := range all {
		list = append(list, r.Name)
	}
	return strings.Join(list, " ")
}
