package record

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is written wherever a Secret would have been.
const Redacted = "[redacted]"

// Secret is a value that must not be seen: a token, a password. Every way of
// printing it (slog, fmt with any verb, JSON, text) gives Redacted. The value
// sits behind a pointer because fmt calls no methods on unexported fields of
// an enclosing struct and would otherwise print it from there.
type Secret struct{ value *string }

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the value, for the one place that sends or compares it.
// The zero Secret reveals "".
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String returns Redacted.
func (s Secret) String() string { return Redacted }

// Format writes Redacted for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// LogValue keeps the value out of every slog handler, not only this package's.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText keeps the value out of JSON, YAML and map keys.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
