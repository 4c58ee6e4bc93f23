package record

import (
	"context"
	"log/slog"
	"slices"
)

// handler is the slog.Handler of a Log. Immutable; With makes another.
type handler struct {
	log       *Log
	component string
	code      string      // of a With
	fold      *foldMark   // of a With
	prefix    string      // open groups, "a.b."
	attrs     []slog.Attr // flat, for the console
	pre       []byte      // attrs as JSON, for the file and the ring
}

var _ slog.Handler = (*handler)(nil)

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	l := h.log
	return l.toRing(level) || l.toFile(level) || l.toConsole(level)
}

// Handle implements slog.Handler. Its error is always nil: slog drops it
// anyway, and an output that fails is told by Flush and Lost.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	l := h.log
	if r.Time.IsZero() {
		r.Time = l.opts.Clock.Now()
	}
	e := l.pool.Get().(*encoder)
	defer l.pool.Put(e)
	e.encode(h, r)
	l.take(h, r, e)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	w := *h
	w.attrs, w.pre = slices.Clip(h.attrs), slices.Clip(h.pre)
	for _, a := range attrs {
		for _, f := range flatten(nil, h.prefix, a) {
			w.with(f)
		}
	}
	return &w
}

func (h *handler) with(a slog.Attr) {
	switch a.Key {
	case KeyComponent:
		h.component = a.Value.String()
		return
	case keyFold:
		h.fold, _ = a.Value.Any().(*foldMark)
		return
	case KeyCode:
		h.code = a.Value.String()
	}
	h.attrs = append(h.attrs, a)
	h.pre = appendAttr(h.pre, a)
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	w := *h
	w.prefix += name + "."
	return &w
}
