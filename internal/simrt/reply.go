package simrt

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request, in bytes.
const maxBody = 64 << 20

// reply writes one JSON value.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a caller who left misses nothing
}

type wireError struct {
	Error string `json:"error"`
}

// fail writes why there is no answer. Where the server is dead, it breaks off.
func (s *Server) fail(w http.ResponseWriter, err error) {
	s.abortIfDead()
	var no *refusal
	switch {
	case errors.As(err, &no):
		reply(w, no.status, wireError{no.text})
	case errors.Is(err, context.Canceled):
		reply(w, 499, wireError{"request canceled"}) // nobody reads it
	default:
		reply(w, http.StatusInternalServerError, wireError{err.Error()})
	}
}

// body reads a request's JSON.
func body(r *http.Request, into any) error {
	err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(into)
	switch {
	case errors.Is(err, io.EOF):
		return refuse(http.StatusBadRequest, "missing request body")
	case err != nil:
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return nil
}

// model finds a model by name, with or without its tag.
func (s *Server) model(name string) (Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.models[canonical(name)]
	if !ok {
		return Model{}, refuse(http.StatusNotFound, "model '%s' not found", name)
	}
	return m, nil
}

func canonical(name string) string {
	if strings.Contains(name, ":") || name == "" {
		return name
	}
	return name + ":latest"
}

// keepAlive reads a duration as Ollama takes it: a number of seconds, or a text
// like "5m"; nil is its default.
func keepAlive(raw any) (time.Duration, error) {
	switch v := raw.(type) {
	case nil:
		return defaultKeep, nil
	case float64:
		return time.Duration(v * float64(time.Second)), nil
	case string:
		d, err := time.ParseDuration(v)
		if err != nil {
			return 0, refuse(http.StatusBadRequest, "time: invalid duration %q", v)
		}
		return d, nil
	}
	return 0, refuse(http.StatusBadRequest, "time: invalid duration")
}
