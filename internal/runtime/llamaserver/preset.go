package llamaserver

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"candor"
	"candor/internal/runtime"
)

// Names within Managed.Dir.
const (
	presetName = "models.ini"
	logFolder  = "logs"
	digestName = "digests.json"
)

// logLevel is the least verbosity at which a model tells the sizes of its
// buffers.
const logLevel = 4

// contextStep is what llama-server rounds a context up to. It is done for it,
// so that a load with the context that a model turned out to have is the same.
const contextStep = 256

// section is what one model is loaded with, as the preset file says it.
func (c *Client) section(id, file string, s runtime.Settings, onGPU bool) string {
	m := c.opts.Managed
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", id)
	context := (s.Context + contextStep - 1) / contextStep * contextStep
	fmt.Fprintf(&b, "ctx-size = %d\n", context*max(1, m.Parallel)) // shared out among the slots
	switch {
	case s.Layers != nil:
		fmt.Fprintf(&b, "n-gpu-layers = %d\n", *s.Layers)
	case onGPU: // all or nothing, instead of leaving out what does not fit
		b.WriteString("n-gpu-layers = all\nfit = off\n")
	}
	if s.Threads > 0 {
		fmt.Fprintf(&b, "threads = %d\n", s.Threads)
	}
	if pooling, ok := c.vectors(id, file); ok {
		// A text is worked on in one batch, so it must hold the longest.
		fmt.Fprintf(&b, "embeddings = true\nbatch-size = %d\nubatch-size = %d\n", context, context)
		if pooling != "" {
			fmt.Fprintf(&b, "pooling = %s\n", pooling)
		}
	}
	fmt.Fprintf(&b, "log-file = %s\nverbosity = %d\n", c.logOf(id), logLevel)
	return b.String()
}

// vectors says whether a model is loaded for embeddings: since it was named for
// them, or since its file says so; and how they are pooled.
func (c *Client) vectors(id, file string) (pooling string, ok bool) {
	if c.opts.Managed == nil {
		return "", false
	}
	for name, pooling := range c.opts.Managed.Vectors {
		if candor.ModelName(name) == candor.ModelName(id) {
			return pooling, true
		}
	}
	return "", embeds(file)
}

// logOf is the path of a model's own log.
func (c *Client) logOf(id string) string {
	return filepath.Join(c.opts.Managed.Dir, logFolder, url.PathEscape(id)+".log")
}

// writePreset writes the file that the router reads.
func writePreset(dir string, sections map[string]string) error {
	text := "version = 1\n"
	for _, id := range slices.Sorted(maps.Keys(sections)) {
		text += "\n" + sections[id]
	}
	path := filepath.Join(dir, presetName)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// writable says whether a model's name can stand in the preset file.
func writable(id string) bool {
	return id != "*" && !strings.ContainsAny(id, "[]\r\n;#")
}

// settle puts what a model is to be loaded with into force. A model that runs
// with something else is ended by that, so its answers are waited for.
func (c *Client) settle(ctx context.Context, id string, r runtime.LoadRequest) error {
	if !writable(id) {
		return runtime.Refuse("load %s: a model of that name cannot be given settings; rename its file", id)
	}
	c.settling.Lock()
	defer c.settling.Unlock()
	m, err := c.look(ctx, id)
	if err != nil {
		return err
	}
	want := c.section(id, c.file(m), r.Settings, r.OnGPU)
	if c.sections[id] == want {
		return nil
	}
	if m.Status.resident() {
		if err := c.idle(ctx, m); err != nil {
			return err
		}
	}
	sections := maps.Clone(c.sections)
	if sections == nil {
		sections = map[string]string{}
	}
	sections[id] = want
	if err := writePreset(c.opts.Managed.Dir, sections); err != nil {
		return runtime.Refuse("load %s: what to load it with cannot be written: %v", id, err)
	}
	c.sections = sections
	if _, err := c.models(ctx, true); err != nil {
		// Whether it was read is not known: the next load writes it again.
		c.sections = maps.Clone(sections)
		delete(c.sections, id)
		return err
	}
	return nil
}
