package ollama

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"candor/internal/runtime"
)

// The paths of Ollama's API.
const (
	pathVersion  = "/api/version"
	pathTags     = "/api/tags"
	pathPs       = "/api/ps"
	pathShow     = "/api/show"
	pathGenerate = "/api/generate"
	pathChat     = "/api/chat"
	pathEmbed    = "/api/embed"
	pathPull     = "/api/pull"
)

// simulatedSuffix ends the version of package simrt's server, as its own
// documentation promises.
const simulatedSuffix = "-simulated"

// Identify implements runtime.Server.
func (c *Client) Identify(ctx context.Context) (runtime.Identity, error) {
	var v versionReply
	if err := c.get(ctx, pathVersion, &v); err != nil {
		return runtime.Identity{}, err
	}
	if v.Version == "" {
		return runtime.Identity{}, runtime.NotOurs(c.opts.URL, runtime.Ollama, http.StatusOK, "it names no version")
	}
	return runtime.Identity{
		Kind: runtime.Ollama, Version: v.Version, URL: c.opts.URL,
		Simulated: strings.HasSuffix(v.Version, simulatedSuffix),
	}, nil
}

// List implements runtime.Server.
func (c *Client) List(ctx context.Context) ([]runtime.Model, error) {
	var tags tagsReply
	if err := c.get(ctx, pathTags, &tags); err != nil {
		return nil, err
	}
	models := make([]runtime.Model, 0, len(tags.Models))
	for _, m := range tags.Models {
		models = append(models, runtime.Model{Name: m.Name, Digest: m.Digest, Size: m.Size})
	}
	slices.SortFunc(models, func(a, b runtime.Model) int { return cmp.Compare(a.Name, b.Name) })
	return models, nil
}

// Loaded implements runtime.Server.
func (c *Client) Loaded(ctx context.Context) ([]runtime.Resident, error) {
	var ps psReply
	if err := c.get(ctx, pathPs, &ps); err != nil {
		return nil, err
	}
	all := make([]runtime.Resident, 0, len(ps.Models))
	for _, m := range ps.Models {
		all = append(all, runtime.Resident{
			Model: m.Name, Digest: m.Digest, Size: m.Size, VRAM: m.SizeVRAM,
			Context: m.ContextLength, Until: m.ExpiresAt,
		})
	}
	slices.SortFunc(all, func(a, b runtime.Resident) int { return cmp.Compare(a.Model, b.Model) })
	c.vouch(all)
	return all, nil
}

// find looks up a model that the server has, with the content asked for.
func (c *Client) find(ctx context.Context, name, digest string) (runtime.Model, error) {
	all, err := c.List(ctx)
	if err != nil {
		return runtime.Model{}, err
	}
	i := slices.IndexFunc(all, func(m runtime.Model) bool { return m.Name == canonical(name) })
	if i < 0 {
		return runtime.Model{}, runtime.Missing(c.opts.URL, name)
	}
	return all[i], runtime.SameContent(name, digest, all[i].Digest)
}

// embedsOnly asks whether a model has vectors and no text. A server that
// cannot say (a file it cannot read) is asked for text, and then says why not.
func (c *Client) embedsOnly(ctx context.Context, name string) bool {
	var show showReply
	if err := c.post(ctx, pathShow, name, struct {
		Model string `json:"model"`
	}{name}, &show); err != nil {
		return false
	}
	return slices.Contains(show.Capabilities, "embedding") && !slices.Contains(show.Capabilities, "completion")
}

// vouch remembers what the names of loaded models stand for.
func (c *Client) vouch(all []runtime.Resident) {
	now := c.clk.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.vouched)
	for _, r := range all {
		c.vouched[r.Model] = vouched{r.Digest, now}
	}
}

// digestOf is the content behind a loaded model's name, not older than vouched
// for. It is empty when the server cannot be asked or lists no such model: the
// answer that is already there is not thrown away for that.
func (c *Client) digestOf(ctx context.Context, model string) string {
	name := canonical(model)
	c.mu.Lock()
	v, known := c.vouched[name]
	c.mu.Unlock()
	if known && c.clk.Now().Sub(v.at) < c.opts.Vouch {
		return v.digest
	}
	all, err := c.Loaded(ctx)
	if err != nil {
		return ""
	}
	r, _ := runtime.Find(all, name)
	return r.Digest
}
