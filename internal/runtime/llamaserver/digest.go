package llamaserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"candor/internal/runtime"
)

// digests are the contents of model files, by path. A file is read when its
// model is first loaded, which reads it anyway, and again when its size or its
// time has changed: some are as large as the machine's memory.
type digests struct {
	path string // where they are kept from one start to the next; empty: nowhere

	mu    sync.Mutex
	known map[string]content // guarded by mu
}

type content struct {
	Size   int64     `json:"size"`
	At     time.Time `json:"modified"`
	Digest string    `json:"sha256"`
}

// newDigests reads what was kept. A file that cannot be read was never there:
// all that is lost is the time to read the models again.
func newDigests(managed *Managed) *digests {
	d := &digests{known: map[string]content{}}
	if managed == nil {
		return d
	}
	d.path = filepath.Join(managed.Dir, digestName)
	if text, err := os.ReadFile(d.path); err == nil && json.Unmarshal(text, &d.known) != nil {
		d.known = map[string]content{}
	}
	return d
}

// get is the content of a file, as far as it is known.
func (d *digests) get(path string) (content, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return content{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.known[path]
	if was.Size != info.Size() || !was.At.Equal(info.ModTime()) {
		return content{Size: info.Size(), At: info.ModTime()}, false
	}
	return was, true
}

// put keeps a content, and tries to keep it for the next start.
func (d *digests) put(path string, c content) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known[path] = c
	text, err := json.Marshal(d.known)
	if err == nil && d.path != "" {
		_ = os.WriteFile(d.path, text, 0o600) // see newDigests
	}
}

// digest is the content of a model's file, empty where there is no file to
// read, or where it has not been read yet.
func (c *Client) digest(m model) string {
	known, ok := c.digests.get(c.file(m))
	if !ok {
		return ""
	}
	return known.Digest
}

// identify reads the content of a model's file; empty where there is none, or
// none that can be read: the server will say why.
func (c *Client) identify(ctx context.Context, m model) (string, error) {
	path := c.file(m)
	if path == "" {
		return "", nil
	}
	known, ok := c.digests.get(path)
	if ok {
		return known.Digest, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", nil //nolint:nilerr // see above
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, whileWanted{ctx, f}); err != nil {
		if ctx.Err() != nil {
			return "", runtime.StillLoading(m.ID, 0, context.Cause(ctx))
		}
		return "", nil //nolint:nilerr // see above
	}
	known.Digest = hex.EncodeToString(h.Sum(nil))
	c.digests.put(path, known)
	return known.Digest, nil
}

// whileWanted reads for as long as somebody waits for it.
type whileWanted struct {
	ctx context.Context
	r   io.Reader
}

func (w whileWanted) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}
