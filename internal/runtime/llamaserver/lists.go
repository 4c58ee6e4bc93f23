package llamaserver

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"candor"
	"candor/internal/runtime"
)

// The paths of llama-server's own API.
const (
	pathProps  = "/props"
	pathModels = "/models"
	pathReload = "/models?reload=1"
	pathLoad   = "/models/load"
	pathUnload = "/models/unload"
	pathSlots  = "/slots"
)

// The values of a model's status.
const (
	statusUnloaded = "unloaded"
	statusLoading  = "loading"
	statusLoaded   = "loaded"
	statusSleeping = "sleeping" // idle, its memory given back
)

type propsReply struct {
	Role  string `json:"role"` // router, or empty
	Build string `json:"build_info"`
	Alias string `json:"model_alias"`
	Slots int    `json:"total_slots"`
}

// model is an entry of the server's list.
type model struct {
	ID     string `json:"id"`
	Status status `json:"status"`
	// Meta is there once the model is in memory. Size is that of its weights.
	Meta struct {
		Context int   `json:"n_ctx"`
		Trained int   `json:"n_ctx_train"`
		Size    int64 `json:"size"`
	} `json:"meta"`
	// Trained is the longest context that the model's file claims.
	Trained int `json:"context_length"`
}

type status struct {
	Value  string `json:"value"`
	Failed bool   `json:"failed"`
	Exit   int    `json:"exit_code"`
	// Args are the command line of the model's own process.
	Args []string `json:"args"`
}

func (s status) resident() bool {
	// A server of one model has no status: it lists the model once it is there.
	return s.Value == "" || s.Value == statusLoading || s.Value == statusLoaded || s.Value == statusSleeping
}

// arg is the value of an option on the command line.
func (s status) arg(name string) string {
	i := slices.Index(s.Args, name)
	if i < 0 || i+1 >= len(s.Args) {
		return ""
	}
	return s.Args[i+1]
}

// Identify implements runtime.Server.
func (c *Client) Identify(ctx context.Context) (runtime.Identity, error) {
	p, err := c.props(ctx)
	if err != nil {
		return runtime.Identity{}, err
	}
	id := runtime.Identity{Kind: runtime.LlamaServer, Version: p.Build, URL: c.opts.URL}
	if p.Role == "" { // a router has none; its models' processes have
		id.Slots = p.Slots
	}
	return id, nil
}

func (c *Client) props(ctx context.Context) (propsReply, error) {
	var p propsReply
	err := c.wire.Call(ctx, c.opts.CallLimit, http.MethodGet, pathProps, "", nil, &p)
	if err == nil && p.Build == "" {
		err = runtime.NotOurs(c.opts.URL, runtime.LlamaServer, http.StatusOK, "it names no build of llama.cpp")
	}
	return p, err
}

// models reads the list; with reload, a router reads its preset file and its
// folder first.
func (c *Client) models(ctx context.Context, reload bool) ([]model, error) {
	var reply struct {
		Data []model `json:"data"`
	}
	path := pathModels
	if reload {
		path = pathReload
	}
	if err := c.wire.Call(ctx, c.opts.CallLimit, http.MethodGet, path, "", nil, &reply); err != nil {
		return nil, err
	}
	slices.SortFunc(reply.Data, func(a, b model) int { return cmp.Compare(a.ID, b.ID) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed, c.asked = reply.Data, c.clk.Now()
	return reply.Data, nil
}

// List implements runtime.Server. Files that came since are seen.
func (c *Client) List(ctx context.Context) ([]runtime.Model, error) {
	all, err := c.models(ctx, c.opts.Managed != nil)
	if err != nil {
		return nil, err
	}
	models := make([]runtime.Model, 0, len(all))
	for _, m := range all {
		models = append(models, runtime.Model{Name: m.ID, Digest: c.digest(m), Size: c.fileSize(m)})
	}
	return models, nil
}

// Loaded implements runtime.Server.
func (c *Client) Loaded(ctx context.Context) ([]runtime.Resident, error) {
	all, err := c.models(ctx, false)
	if runtime.CodeOf(err) == runtime.CodeLoading { // a server of one model, which it does not name yet
		return []runtime.Resident{}, nil
	}
	if err != nil {
		return nil, err
	}
	loaded := []runtime.Resident{}
	for _, m := range all {
		if m.Status.resident() {
			loaded = append(loaded, c.resident(m))
		}
	}
	return loaded, nil
}

// resident is a model in memory. Without a log of its own, all that is known of
// its size is that of its weights, and nothing of the card.
func (c *Client) resident(m model) runtime.Resident {
	r := runtime.Resident{Model: m.ID, Digest: c.digest(m), Context: m.Meta.Context, Size: m.Meta.Size}
	if r.Context == 0 { // it is still loading
		total, _ := strconv.Atoi(m.Status.arg("--ctx-size"))
		slots, _ := strconv.Atoi(m.Status.arg("--parallel"))
		r.Context = total / max(1, slots)
	}
	if size, vram, ok := c.sizes(m.ID); ok {
		r.Size, r.VRAM = size, vram
	}
	return r
}

// find looks a model up in the server's list, not older than vouched for.
func (c *Client) find(ctx context.Context, name string) (model, error) {
	c.mu.Lock()
	all, at := c.listed, c.asked
	c.mu.Unlock()
	if m, ok := pick(all, name); ok && c.clk.Now().Sub(at) < c.opts.Vouch {
		return m, nil
	}
	return c.look(ctx, name)
}

// look reads a model's entry.
func (c *Client) look(ctx context.Context, name string) (model, error) {
	all, err := c.models(ctx, false)
	if err != nil {
		return model{}, err
	}
	m, ok := pick(all, name)
	if !ok {
		return model{}, runtime.Missing(c.opts.URL, name)
	}
	return m, nil
}

func pick(all []model, name string) (model, bool) {
	i := slices.IndexFunc(all, func(m model) bool { return candor.ModelName(m.ID) == candor.ModelName(name) })
	if i < 0 {
		return model{}, false
	}
	return all[i], true
}

// file is a model's file, empty where it is not known to be on this machine:
// an attached server may run on another one, with other files of that name.
func (c *Client) file(m model) string {
	if path := m.Status.arg("--model"); c.opts.Managed != nil && filepath.IsAbs(path) {
		return path
	}
	return ""
}

// fileSize is a model's size on disk.
func (c *Client) fileSize(m model) int64 {
	if info, err := os.Stat(c.file(m)); err == nil {
		return info.Size()
	}
	return m.Meta.Size
}
