package runtime

import (
	"fmt"
	"time"

	"candor"
)

// Keys of Error.Detail.
const (
	DetailModel    = "model"
	DetailServer   = "server"    // its address
	DetailStatus   = "status"    // HTTP status
	DetailSaid     = "said"      // the server's own words
	DetailWanted   = "wanted"    // what was asked for
	DetailActual   = "actual"    // what there is
	DetailElapsed  = "elapsed"   // time.Duration since the request
	DetailSilent   = "silent"    // time.Duration without a token or byte
	DetailTokens   = "tokens"    // pieces of the answer that had arrived
	DetailRule     = "rule"      // which guard's rule tripped
	DetailSize     = "size"      // bytes
	DetailVRAM     = "vram"      // bytes of size that are on a GPU
	DetailInFlight = "in_flight" // own requests that hold a model
	DetailHolder   = "holder"    // who has what is wanted
	DetailRetry    = "retry"     // time.Duration that the server asks to wait
	DetailUntil    = "until"     // time.Time at which the server means to unload
)

// Missing says that the server does not have the model.
func Missing(server, model string) *Error {
	return &Error{Code: CodeMissing, Text: fmt.Sprintf("%s does not have model %s", server, model),
		Detail: map[string]any{DetailServer: server, DetailModel: model}}
}

// Said makes an error of the given code from the server's own words.
func Said(code Code, model string, status int, words string) *Error {
	about := "server"
	if model != "" {
		about = "model " + model
	}
	return &Error{Code: code, Text: fmt.Sprintf("%s: the server says (status %d): %s", about, status, words),
		Detail: map[string]any{DetailModel: model, DetailStatus: status, DetailSaid: words}}
}

// Gone says that nobody answers at the address, or that the connection broke
// after some pieces.
func Gone(server string, tokens int, cause error) *Error {
	text := server + " does not answer"
	if tokens > 0 {
		text = fmt.Sprintf("%s broke off after %d tokens", server, tokens)
	}
	return &Error{Code: CodeGone, Text: text, Cause: cause,
		Detail: map[string]any{DetailServer: server, DetailTokens: tokens}}
}

// Hung says that the server took the request and has been silent since.
func Hung(server string, silent time.Duration, tokens int) *Error {
	text := fmt.Sprintf("%s took a request and has said nothing for %s", server, candor.ShortDuration(silent))
	if tokens > 0 {
		text = fmt.Sprintf("%s stopped after %d tokens and has said nothing for %s", server, tokens, candor.ShortDuration(silent))
	}
	return &Error{Code: CodeHung, Text: text,
		Detail: map[string]any{DetailServer: server, DetailSilent: silent, DetailTokens: tokens}}
}

// NotOurs says that something answers, but not the kind of server that was
// expected.
func NotOurs(server string, want Kind, status int, what string) *Error {
	return &Error{Code: CodeNotOurs, Text: fmt.Sprintf("%s is not %s: another program answers there (status %d, %s)", server, want, status, what),
		Detail: map[string]any{DetailServer: server, DetailWanted: want, DetailStatus: status, DetailActual: what}}
}

// Garbled says that the server answered against its own protocol.
func Garbled(server string, cause error) *Error {
	return &Error{Code: CodeGarbled, Text: server + " sent what its protocol does not allow", Cause: cause,
		Detail: map[string]any{DetailServer: server}}
}

// StillLoading says that the time given to a load ran out before a token came.
func StillLoading(model string, elapsed time.Duration, cause error) *Error {
	return &Error{Code: CodeLoading, Text: fmt.Sprintf("model %s is not ready after %s", model, candor.ShortDuration(elapsed)), Cause: cause,
		Detail: map[string]any{DetailModel: model, DetailElapsed: elapsed}}
}

// Held says that the server was asked to unload a model and still lists it.
func Held(r Resident, inFlight int, elapsed time.Duration) *Error {
	holder := "requests of other clients"
	if inFlight > 0 {
		holder = fmt.Sprintf("%d requests of this worker", inFlight)
	}
	return &Error{Code: CodeHeld, Text: fmt.Sprintf("model %s still takes %s %s after the order to unload it, held by %s", r.Model, candor.Bytes(r.Size), candor.ShortDuration(elapsed), holder),
		Detail: map[string]any{DetailModel: r.Model, DetailSize: r.Size, DetailVRAM: r.VRAM, DetailInFlight: inFlight, DetailUntil: r.Until, DetailElapsed: elapsed}}
}

// Overdue says that the caller's time for an answer ran out while tokens came.
func Overdue(model string, elapsed time.Duration, tokens int, cause error) *Error {
	return &Error{Code: CodeRunaway, Text: fmt.Sprintf("model %s has not ended its answer after %s and %d tokens", model, candor.ShortDuration(elapsed), tokens), Cause: cause,
		Detail: map[string]any{DetailModel: model, DetailRule: RuleDeadline, DetailElapsed: elapsed, DetailTokens: tokens}}
}

// Incomplete says that the stream ended, whole, without the end of the answer.
func Incomplete(model string, tokens int) *Error {
	return &Error{Code: CodeIncomplete, Text: fmt.Sprintf("the answer of %s ended after %d tokens without the server's word that it is done", model, tokens),
		Detail: map[string]any{DetailModel: model, DetailTokens: tokens}}
}

// NotThere says that a model is not in the server's memory, or not any more.
func NotThere(server, model string) *Error {
	return &Error{Code: CodeRunnerGone, Text: fmt.Sprintf("model %s is not in the memory of %s", model, server),
		Detail: map[string]any{DetailServer: server, DetailModel: model}}
}

// Crowded says that a model's memory is not free, and who has it. Sizes are in
// bytes.
func Crowded(model string, need, free, total int64, holders string, waited time.Duration) *Error {
	return &Error{Code: CodeHeld, Text: fmt.Sprintf("model %s needs %s of the card; after %s only %s of %s are free, held by %s",
		model, candor.Bytes(need), candor.ShortDuration(waited), candor.Bytes(free), candor.Bytes(total), holders),
		Detail: map[string]any{DetailModel: model, DetailWanted: need, DetailActual: free, DetailHolder: holders, DetailElapsed: waited}}
}

// Refuse says that a request cannot be meant; it was not sent.
func Refuse(format string, args ...any) *Error {
	return &Error{Code: CodeRefused, Text: fmt.Sprintf(format, args...)}
}

// Vanished says that a model produced a token and was gone right after.
func Vanished(model string) *Error {
	return &Error{Code: CodeLoading, Text: fmt.Sprintf("model %s was loaded and pushed out again before it could be used", model),
		Detail: map[string]any{DetailModel: model}}
}
