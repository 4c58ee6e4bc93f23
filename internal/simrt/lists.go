package simrt

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"time"
)

type wireModel struct {
	Name       string    `json:"name"`
	Model      string    `json:"model"`
	ModifiedAt time.Time `json:"modified_at,omitzero"`
	Size       int64     `json:"size"`
	Digest     string    `json:"digest"`
	Details    struct {
		Format string `json:"format"`
		Family string `json:"family"`
	} `json:"details"`
}

type wireResident struct {
	wireModel
	ExpiresAt     time.Time `json:"expires_at"`
	SizeVRAM      int64     `json:"size_vram"`
	ContextLength int       `json:"context_length"`
}

func (s *Server) greet(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "A simulated model server is running")
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"version": Version})
}

func (s *Server) tags(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := []wireModel{}
	for _, name := range slices.Sorted(maps.Keys(s.models)) {
		list = append(list, s.wire(s.models[name], s.models[name].Size))
	}
	s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"models": list})
}

func (s *Server) ps(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := []wireResident{}
	for _, r := range s.residents() {
		expires := r.expires
		if r.loading {
			expires = s.clk.Now().Add(defaultKeep)
		}
		list = append(list, wireResident{
			wireModel: s.wire(r.model, r.size),
			ExpiresAt: expires, SizeVRAM: r.vram, ContextLength: r.settings.context,
		})
	}
	s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"models": list})
}

// wire is a model as lists show it. The caller holds mu.
func (s *Server) wire(m Model, size int64) wireModel {
	w := wireModel{Name: m.Name, Model: m.Name, Size: size, Digest: m.Digest}
	w.Details.Format, w.Details.Family = "simulated", "simulated"
	if _, ordered := s.strikes(WrongDigest, m.Name); ordered {
		w.Digest = "0000" + m.Digest[min(4, len(m.Digest)):]
	}
	return w
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string `json:"model"`
	}
	if err := body(r, &req); err != nil {
		s.fail(w, err)
		return
	}
	m, err := s.model(req.Model)
	if err != nil {
		s.fail(w, err)
		return
	}
	capabilities := []string{"completion"}
	if m.EmbedsOnly {
		capabilities = []string{"embedding"}
	}
	reply(w, http.StatusOK, map[string]any{
		"capabilities": capabilities,
		"model_info":   map[string]any{"general.architecture": "simulated", "simulated.context_length": m.Context},
	})
}

// pull gets a model from the library, in three lines; an unknown one is an
// error inside the stream, as with Ollama.
func (s *Server) pull(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string `json:"model"`
	}
	if err := body(r, &req); err != nil {
		s.fail(w, err)
		return
	}
	lines := newLines(w)
	lines.write(map[string]string{"status": "pulling manifest"})
	for _, m := range s.opts.Library {
		if m = m.withDefaults(); m.Name != canonical(req.Model) {
			continue
		}
		lines.write(map[string]any{"status": "pulling " + m.Digest[:12], "digest": m.Digest, "total": m.Size, "completed": m.Size})
		s.mu.Lock()
		s.models[m.Name] = m
		s.mu.Unlock()
		lines.write(map[string]string{"status": "success"})
		return
	}
	lines.write(wireError{"pull model manifest: file does not exist"})
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string `json:"model"`
	}
	if err := body(r, &req); err != nil {
		s.fail(w, err)
		return
	}
	m, err := s.model(req.Model)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.mu.Lock()
	delete(s.models, m.Name)
	s.mu.Unlock()
	s.dismiss(m.Name)
	w.WriteHeader(http.StatusOK)
}
