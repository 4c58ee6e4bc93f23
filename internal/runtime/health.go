package runtime

import (
	"fmt"
	"time"

	"candor"
)

// Health is three signals; none stands for another.
type Health struct {
	At time.Time `json:"at"`
	// Answers: the server's API replies. It does so while a model hangs.
	Answers Answers `json:"answers"`
	// Ready: tokens come.
	Ready Ready `json:"ready"`
	// Slots: what it is doing for us.
	Slots Slots `json:"slots"`
}

// Answers says whether the server's API replied just now.
type Answers struct {
	OK   bool          `json:"ok"`
	Took time.Duration `json:"took"` // nanoseconds
	Err  error         `json:"-"`    // why not
	// Loaded is what it listed.
	Loaded []Resident `json:"loaded,omitempty"`
}

// Ready says when a token last came, through this adapter.
type Ready struct {
	LastToken time.Time `json:"last_token,omitzero"`
	Model     string    `json:"model,omitempty"` // that produced it
	// SilentSince is when the request that has waited longest for its next token
	// began to wait; zero: none waits.
	SilentSince time.Time `json:"silent_since,omitzero"`
}

// Slots count requests of this adapter on the server.
type Slots struct {
	Busy int `json:"busy"`
	// Total is how many the server works on at once, 0 when not known. More may
	// be busy: the rest waits in the server's queue.
	Total int `json:"total,omitempty"`
}

// Producing guards against a server that is green and does nothing: requests
// wait, and no request has had a token for longer than patience.
func Producing(server string, h Health, patience time.Duration) error {
	if h.Ready.SilentSince.IsZero() {
		return nil
	}
	since := h.Ready.SilentSince
	if h.Ready.LastToken.After(since) {
		since = h.Ready.LastToken // another request is served: this one queues
	}
	silent := h.At.Sub(since)
	if silent <= patience {
		return nil
	}
	api := "though its API answers"
	if !h.Answers.OK {
		api = "and its API does not answer either"
	}
	wait := fmt.Sprintf("%d requests wait", h.Slots.Busy)
	if h.Slots.Busy == 1 {
		wait = "1 request waits"
	}
	return &Error{Code: CodeHung, Text: fmt.Sprintf("%s has not produced a token for %s %s; %s", server, candor.ShortDuration(silent), api, wait),
		Detail: map[string]any{DetailServer: server, DetailSilent: silent, DetailInFlight: h.Slots.Busy, DetailActual: h.Answers.OK}}
}
