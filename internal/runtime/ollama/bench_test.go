package ollama_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

// The same short rows to the same server, through the adapter and sent
// straight: the difference is what the adapter costs.
func BenchmarkRow(b *testing.B) {
	sim := simrt.New(simrt.Options{Clock: clock.System(), VRAM: 1 << 30, Models: []simrt.Model{{Name: "tiny", Size: 1 << 20, Endless: true}}})
	web := httptest.NewServer(sim)
	defer web.Close()
	const tokens = 32
	b.Run("adapter", func(b *testing.B) {
		client := ollama.New(ollama.Options{URL: web.URL, Clock: clock.System()})
		defer client.Close()
		r := request()
		r.MaxTokens, r.Patience = tokens, runtime.Patience{}
		for b.Loop() {
			if a, err := client.Generate(b.Context(), r, nil); err != nil || a.Tokens != tokens {
				b.Fatal(a.Tokens, err)
			}
		}
	})
	b.Run("straight", func(b *testing.B) {
		body := `{"model":"tiny","messages":[{"role":"user","content":"Say something."}],"options":{"num_ctx":512,"num_predict":32}}`
		for b.Loop() {
			resp, err := http.Post(web.URL+"/api/chat", "application/json", strings.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			for dec := json.NewDecoder(resp.Body); ; {
				var line struct {
					Message struct{ Content string }
					Done    bool
				}
				if err := dec.Decode(&line); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
			resp.Body.Close()
		}
	})
}
