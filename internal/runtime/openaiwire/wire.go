package openaiwire

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// The paths of the API.
const (
	PathModels = "/v1/models"
	pathChat   = "/v1/chat/completions"
	pathEmbed  = "/v1/embeddings"
)

// Wire is a server that speaks the API.
type Wire struct {
	Peer exchange.Peer
	// Kind is who should answer, for the error when somebody else does.
	Kind  runtime.Kind
	Pulse *runtime.Pulse
	// Patience bounds silence in answers where a request does not say.
	Patience runtime.Patience
	// Name is the server's name for a model, nil: the same.
	Name func(model string) string
	// Hide is a secret that no error may hold, such as a key.
	Hide func() string
}

func (w Wire) name(model string) string {
	if w.Name == nil {
		return model
	}
	return w.Name(model)
}

// Call is one request with one JSON reply, within limit. model is for errors;
// empty: it is about none.
func (w Wire) Call(ctx context.Context, limit time.Duration, method, path, model string, body, into any) error {
	reply, err := w.Peer.Call(ctx, limit, method, path, body)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return w.refusal(model, reply)
	}
	if err := json.Unmarshal(reply.Text, into); err != nil {
		if exchange.IsJSON(reply.Response) {
			return runtime.Garbled(w.Peer.URL, err)
		}
		return w.stranger(reply)
	}
	return nil
}

func (w Wire) stranger(reply exchange.Reply) error {
	return runtime.NotOurs(w.Peer.URL, w.Kind, reply.StatusCode, exchange.Describe(reply.Response))
}
