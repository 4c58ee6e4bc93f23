//go:build (llamaserver || ollama) && linux

package openai_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime/openai"
	"candor/internal/runtime/runtimetest"
)

func adapter(t *testing.T, o openai.Options) *openai.Client {
	o.Clock, o.CallLimit = clock.System(), 3*time.Second
	c := openai.New(o)
	t.Cleanup(c.Close)
	return c
}

// answers says whether a server that is starting answers.
func answers(url string) func() bool {
	return func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
}

// cannot is what no server can do over this API, and more.
func cannot(more map[runtimetest.Ability]string) map[runtimetest.Ability]string {
	all := map[runtimetest.Ability]string{
		runtimetest.Unload:  "the API has no word for it: the server decides",
		runtimetest.Settle:  "the API has no settings: the server was started with its own",
		runtimetest.Account: "the API tells neither sizes nor what is in memory",
		runtimetest.Digests: "the API has names only",
	}
	maps.Copy(all, more)
	return all
}
