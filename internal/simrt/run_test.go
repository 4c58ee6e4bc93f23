package simrt_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"candor/internal/clock"
	"candor/internal/simrt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server and returns its URL and how it ended.
func serve(ctx context.Context, t *testing.T) (url string, ended <-chan error) {
	t.Helper()
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- simrt.Run(ctx, simrt.Options{Clock: clock.System(), VRAM: gib, Models: []simrt.Model{{Name: "m", Size: 1 << 20}}},
			"127.0.0.1:0", func(url string) { ready <- url })
	}()
	return <-ready, done
}

func post(t *testing.T, url, body string) (*http.Response, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(url, "application/json", strings.NewReader(body))
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url, ended := serve(ctx, t)
	if resp, err := post(t, url+"/api/generate", `{"model":"m","prompt":"hello","stream":false}`); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunEndsWithAnErrorWhenKilled(t *testing.T) {
	url, ended := serve(t.Context(), t)
	if _, err := post(t, url+"/simulated/faults", `{"kind":"death"}`); err != nil {
		t.Fatal(err)
	}
	if _, err := post(t, url+"/api/generate", `{"model":"m","prompt":"hello"}`); err == nil {
		t.Error("a dead server answered")
	}
	if err := <-ended; err == nil {
		t.Error("no error")
	}
}

func TestRunWithoutAPort(t *testing.T) {
	if err := simrt.Run(t.Context(), simrt.Options{Clock: clock.System()}, "127.0.0.1:-1", func(string) {}); err == nil {
		t.Error("no error")
	}
}
