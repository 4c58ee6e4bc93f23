package openai

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"candor"
	"candor/internal/runtime"
	"candor/internal/runtime/openaiwire"
)

// listReply is what GET /v1/models holds.
type listReply struct {
	Object string `json:"object"`
	Data   []struct {
		ID      string `json:"id"`
		OwnedBy string `json:"owned_by"`
		// MaxModelLen is the context that vLLM and SGLang serve with.
		MaxModelLen int `json:"max_model_len"`
		// Meta is llama-server's, of a model in memory.
		Meta struct {
			Context int   `json:"n_ctx"`
			Size    int64 `json:"size"`
		} `json:"meta"`
	} `json:"data"`
}

// entry is a model that the server lists.
type entry struct {
	name  string // the server's own
	owner string // who the server says it is of: often the server's kind
	// context is what one conversation may have, 0: the server does not say.
	// Those that say it have the model in memory.
	context int
	size    int64 // bytes of its weights, 0: the server does not say
}

// models reads the list.
func (c *Client) models(ctx context.Context) ([]entry, error) {
	var reply listReply
	if err := c.wire.Call(ctx, c.opts.CallLimit, http.MethodGet, openaiwire.PathModels, "", nil, &reply); err != nil {
		return nil, err
	}
	if reply.Object != "list" && reply.Data == nil {
		return nil, runtime.NotOurs(c.opts.URL, runtime.OpenAI, http.StatusOK, "it lists no models")
	}
	all := make([]entry, 0, len(reply.Data))
	for _, m := range reply.Data {
		all = append(all, entry{m.ID, m.OwnedBy, max(m.MaxModelLen, m.Meta.Context), m.Meta.Size})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed, c.listedAt = all, c.clk.Now()
	return all, nil
}

// Identify implements runtime.Server. The API has no version; what a server
// says of itself elsewhere takes its place.
func (c *Client) Identify(ctx context.Context) (runtime.Identity, error) {
	all, err := c.models(ctx)
	if err != nil {
		return runtime.Identity{}, err
	}
	version := "v1"
	for _, m := range all {
		if m.owner != "" {
			version += ", models of " + m.owner
			break
		}
	}
	return runtime.Identity{Kind: runtime.OpenAI, Version: version, URL: c.opts.URL}, nil
}

// List implements runtime.Server.
func (c *Client) List(ctx context.Context) ([]runtime.Model, error) {
	all, err := c.models(ctx)
	if err != nil {
		return nil, err
	}
	models := make([]runtime.Model, 0, len(all))
	for _, m := range all {
		models = append(models, runtime.Model{Name: m.name, Size: m.size})
	}
	return models, nil
}

// Loaded implements runtime.Server: what answered lately, and what the server
// lists with its context. Sizes are not known, and 0.
func (c *Client) Loaded(ctx context.Context) ([]runtime.Resident, error) {
	all, err := c.models(ctx)
	if err != nil {
		return nil, err
	}
	now := c.clk.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	loaded := []runtime.Resident{}
	for _, m := range all {
		at, ok := c.answered[m.name]
		if m.context > 0 || ok && now.Sub(at) < c.opts.Lately {
			loaded = append(loaded, runtime.Resident{Model: m.name, Context: cmp.Or(m.context, c.opts.Context), Size: m.size})
		}
	}
	return loaded, nil
}

// find looks up a model that the server has, in a list that is not old.
func (c *Client) find(ctx context.Context, model string) (entry, error) {
	c.mu.Lock()
	all := c.listed
	fresh := !c.listedAt.IsZero() && c.clk.Now().Sub(c.listedAt) < c.opts.Vouch
	c.mu.Unlock()
	m, ok := pick(all, model)
	if fresh && ok {
		return m, nil
	}
	all, err := c.models(ctx)
	if err != nil {
		return entry{}, err
	}
	if m, ok = pick(all, model); !ok {
		return entry{}, runtime.Missing(c.opts.URL, model)
	}
	return m, nil
}

// pick finds a model by its name, with or without the tag that stands for the
// latest.
func pick(all []entry, model string) (entry, bool) {
	i := slices.IndexFunc(all, func(m entry) bool { return m.name == model })
	if i < 0 {
		i = slices.IndexFunc(all, func(m entry) bool { return candor.ModelName(m.name) == candor.ModelName(model) })
	}
	if i < 0 {
		return entry{}, false
	}
	return all[i], true
}

// nameOf is the server's name for a model.
func (c *Client) nameOf(model string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := pick(c.listed, model); ok {
		return m.name
	}
	return model
}

// heard notes that a model produced a token, or a vector.
func (c *Client) heard(model string) {
	name := c.nameOf(model)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered[name] = c.clk.Now()
}

// silent notes that a model is no longer known to be there.
func (c *Client) silent(model string) {
	name := c.nameOf(model)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answered, name)
}
