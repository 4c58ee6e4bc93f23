package wire

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"candor"
)

func TestEachCodeHasOneStatus(t *testing.T) {
	seen := map[candor.Code]bool{}
	for _, row := range statuses() {
		if seen[row.Code] {
			t.Errorf("%s stands twice", row.Code)
		}
		seen[row.Code] = true
		if Status(row.Code) != row.Status || row.Status < 400 || http.StatusText(row.Status) == "" {
			t.Errorf("%s has status %d", row.Code, row.Status)
		}
		if back := CodeOfStatus(row.Status); Status(back) != row.Status {
			t.Errorf("%d comes back as %s, which is %d", row.Status, back, Status(back))
		}
	}
	for status, want := range map[int]candor.Code{400: candor.CodeInvalid, 401: candor.CodeUnauthorized, 403: candor.CodeForbidden, 404: candor.CodeNotFound,
		409: candor.CodeConflict, 500: candor.CodeInternal, 503: candor.CodeUnavailable, 405: candor.CodeInvalid, 502: candor.CodeUnavailable, 302: candor.CodeInvalid} {
		if got := CodeOfStatus(status); got != want {
			t.Errorf("%d means %s, want %s", status, got, want)
		}
	}
	if Status("no such code") != http.StatusInternalServerError {
		t.Error("an unknown code is no fault of the caller")
	}
}

// A code added to error.go of the root package needs a status here.
func TestEveryCodeHasAStatus(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "error.go"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[candor.Code]bool{}
	for _, row := range statuses() {
		known[row.Code] = true
	}
	found := 0
	for line := range strings.Lines(string(source)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasPrefix(f[0], "Code") && f[1] == "Code" && f[2] == "=" {
			found++
			if code := candor.Code(strings.Trim(f[3], `"`)); !known[code] {
				t.Errorf("%s has no status", code)
			}
		}
	}
	if found != len(known) {
		t.Errorf("error.go has %d codes, the table %d", found, len(known))
	}
}

func route(op Op) Route {
	for _, r := range Routes() {
		if r.Op == op {
			return r
		}
	}
	return Route{}
}

func TestQueriesComeBackAsTheyWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z &=?#é-]{0,8}`)
		limit := rapid.IntRange(0, MaxPage)
		tq := candor.TaskQuery{Step: word.Draw(t, "step"), State: rapid.SampledFrom(append(candor.TaskStates(), "")).Draw(t, "state"),
			Class: rapid.SampledFrom(append(candor.Classes(), "")).Draw(t, "class"), Worker: word.Draw(t, "worker"),
			After: candor.TaskID(rapid.Int64Range(0, candor.MaxID).Draw(t, "after")), Limit: limit.Draw(t, "limit")}
		same(t, OpTasks, TaskValues(tq), (*Reading).Tasks, tq)
		bq := candor.BatchQuery{State: rapid.SampledFrom([]candor.BatchState{"", candor.BatchActive, candor.BatchComplete}).Draw(t, "batch state"),
			Before: candor.BatchID(rapid.Int64Range(0, candor.MaxID).Draw(t, "before")), Limit: limit.Draw(t, "limit")}
		same(t, OpBatches, BatchValues(bq), (*Reading).Batches, bq)
		eq := candor.EventQuery{After: rapid.Int64Min(candor.FromNow).Draw(t, "after"), Last: limit.Draw(t, "last"), Worker: word.Draw(t, "worker"),
			Batch: bq.Before, Task: tq.After, Level: rapid.SampledFrom(append(Levels(), "")).Draw(t, "level"), Limit: limit.Draw(t, "limit")}
		same(t, OpEvents, EventValues(eq), (*Reading).Events, eq)
		lq := candor.LogQuery{Attempt: limit.Draw(t, "attempt"), Offset: rapid.Int64().Draw(t, "offset"), Follow: rapid.Bool().Draw(t, "follow")}
		same(t, OpLog, LogValues(lq), (*Reading).Log, lq)
	})
}

func same[Q any](t *rapid.T, op Op, v url.Values, read func(*Reading) Q, want Q) {
	sent, err := url.ParseQuery(v.Encode())
	if err != nil {
		t.Fatal(err)
	}
	r := Read(sent, route(op))
	got := read(r)
	if diff := cmp.Diff(want, got); r.Err() != nil || diff != "" {
		t.Fatalf("%s: %v (-want +got):\n%s", op, r.Err(), diff)
	}
}

func TestTargetsAreEscaped(t *testing.T) {
	for name, want := range map[string]string{
		"t_5g7n2k9q": "/v1/tasks/t_5g7n2k9q/log", "a/b": "/v1/tasks/a%2Fb/log", "x?y#z %": "/v1/tasks/x%3Fy%23z%20%25/log",
	} {
		if got := route(OpLog).Target(name); got != want {
			t.Errorf("%q gives %s, want %s", name, got, want)
		}
	}
}

func TestTokenFiles(t *testing.T) {
	const token = "0123456789abcdef"
	for name, tc := range map[string]struct {
		text  string
		mode  os.FileMode
		grant string // part of the error, "" = fine
		token string
	}{
		"brain's":      {"# c\n\n operator " + token + "\nviewer x" + token + "\n", 0o600, "", token},
		"client's":     {token + "\n", 0o400, "is not a role", token},
		"short":        {"viewer short\n", 0o600, "fewer than 16", "short"},
		"unknown role": {"admin " + token + "\n", 0o600, `names the role "admin"`, token},
		"empty":        {"# nothing\n", 0o600, "holds no token", ""},
		"open":         {"viewer " + token + "\n", 0o640, "is open to others", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tokens")
			if err := os.WriteFile(path, []byte(tc.text), tc.mode); err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS == "windows" && name == "open" {
				tc.grant, tc.token = "", token // modes mean nothing there
			}
			_, err := ReadGrants(path)
			if tc.grant == "" && err != nil || tc.grant != "" && (err == nil || candor.CodeOf(err) != candor.CodeInvalid || !strings.Contains(err.Error(), tc.grant)) {
				t.Errorf("grants: %v, want %q", err, tc.grant)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("the error tells the token: %v", err)
			}
			if got, err := ReadToken(path); got != tc.token || (err != nil) != (tc.token == "") {
				t.Errorf("token is %q, %v", got, err)
			}
		})
	}
	_, err := ReadToken(filepath.Join(t.TempDir(), "none"))
	if candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("a missing file is %v", err)
	}
}
