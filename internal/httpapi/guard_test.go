package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"candor"
	"candor/client"
	"candor/internal/httpapi"
	"candor/internal/httpapi/wire"
)

func tokens(t *testing.T) *httpapi.Tokens {
	t.Helper()
	tk, err := httpapi.ReadTokens(tokensFile(t))
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

// target makes a URL of a route.
func target(r *rig, route wire.Route) string { return r.url + route.Target(theTask.String()) }

// TestEveryRouteIsGuarded derives its cases from the route table.
func TestEveryRouteIsGuarded(t *testing.T) {
	r := start(t, "", tokens(t))
	bearers := []struct {
		role  candor.Role
		token string
	}{
		{"", ""}, {"", "nobody-0123456789abcdef"}, {candor.RoleViewer, tokenOf("viewer")},
		{candor.RoleOperator, tokenOf("operator")}, {candor.RoleWorker, tokenOf("worker")},
	}
	for _, route := range wire.Routes() {
		for _, b := range bearers {
			want := http.StatusForbidden
			switch {
			case route.Role == wire.RolePublic || b.role.Allows(route.Role):
				want = 0 // whatever the handler says of an empty request
			case b.role == "":
				want = http.StatusUnauthorized
			}
			req, err := http.NewRequestWithContext(t.Context(), route.Method, target(r, route), nil)
			if err != nil {
				t.Fatal(err)
			}
			if b.token != "" {
				req.Header.Set("Authorization", "Bearer "+b.token)
			}
			got := do(t, req).StatusCode
			denied := got == http.StatusForbidden || got == http.StatusUnauthorized
			if (want == 0 && denied) || (want != 0 && got != want) {
				t.Errorf("%s with role %q: status %d, want %d (0 = let in)", route.Pattern(), b.role, got, want)
			}
		}
	}
}

func TestRefusalsSayWhatIsNeededAndNothingElse(t *testing.T) {
	r := start(t, "", tokens(t))
	_, err := r.client(t, candor.RoleViewer).Register(t.Context(), candor.RegisterRequest{})
	wantCode(t, err, candor.CodeForbidden)
	if want := "the token's role is viewer; POST /v1/workers needs worker"; err == nil || err.Error() != want {
		t.Errorf("refusal reads %q, want %q", err, want)
	}
	// A batch that is there and one that is not look alike to a stranger.
	c := r.client(t, "")
	_, there := c.Batch(t.Context(), theBatch.String())
	_, missing := c.Batch(t.Context(), "b_00000000")
	wantCode(t, there, candor.CodeUnauthorized)
	if there == nil || missing == nil || there.Error() != missing.Error() {
		t.Errorf("a stranger can tell %q from %q", there, missing)
	}
	if n := len(r.brain.seen); n != 0 {
		t.Errorf("%d commands reached the brain", n)
	}
	log := r.log.String()
	for _, want := range []string{"refused POST /v1/workers to 127.0.0.1", "reason=forbidden", "reason=unauthorized"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, tokenOf("viewer")) || strings.Contains(log, "0123456789abcdef") {
		t.Errorf("the log holds a token:\n%s", log)
	}
}

func TestUnknownRoutesAskForATokenFirst(t *testing.T) {
	r := start(t, "", tokens(t))
	for token, want := range map[string]int{"": http.StatusUnauthorized, tokenOf("viewer"): http.StatusNotFound} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/v1/secrets", nil)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		if got := do(t, req).StatusCode; got != want {
			t.Errorf("token %q: status %d, want %d", token, got, want)
		}
	}
}

// The owner of the socket's directory is the operator and the worker at once.
func TestUnixSocketNeedsNoToken(t *testing.T) {
	r := start(t, "unix://"+t.TempDir()+"/s", tokens(t))
	c := newClient(t, client.Options{URL: r.url})
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.Register(t.Context(), candor.RegisterRequest{}); err != nil {
		t.Error(err)
	}
}

func TestBrowserPagesAreKeptOut(t *testing.T) {
	open, guarded := start(t, "", nil), start(t, "", tokens(t))
	for _, tc := range []struct {
		name   string
		rig    *rig
		change func(*http.Request)
		want   int
	}{
		{"a program", open, func(*http.Request) {}, http.StatusOK},
		{"by name", open, func(r *http.Request) { r.Host = "LocalHost:80" }, http.StatusOK},
		{"by IPv6", open, func(r *http.Request) { r.Host = "[::1]" }, http.StatusOK},
		{"a rebound name", open, func(r *http.Request) { r.Host = "evil.example" }, http.StatusForbidden},
		{"a rebound name with a port", open, func(r *http.Request) { r.Host = "localhost.evil.example:7070" }, http.StatusForbidden},
		{"another site", open, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"another origin", open, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, http.StatusForbidden},
		{"a form", open, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusBadRequest},
		{"JSON with a charset", open, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, http.StatusOK},
		{"any name with a token", guarded, func(r *http.Request) {
			r.Host = "rig.example"
			r.Header.Set("Authorization", "Bearer "+tokenOf("operator"))
		}, http.StatusOK},
		{"another site with a token", guarded, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Authorization", "Bearer "+tokenOf("operator"))
		}, http.StatusForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tc.rig.url+"/v1/pause", strings.NewReader(`{"targets":["all"]}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			tc.change(req)
			if got := do(t, req).StatusCode; got != tc.want {
				t.Errorf("status %d, want %d", got, tc.want)
			}
		})
	}
}
