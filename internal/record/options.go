package record

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"candor/internal/clock"
)

// Format is the form of console lines.
type Format string

// The console formats, as CANDOR_LOG_FORMAT spells them.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// Defaults of Options.
const (
	DefaultFileMegabytes = 100            // rotation size
	DefaultRotateEvery   = 24 * time.Hour // a quiet day still closes its file
	DefaultKeep          = 28 * 24 * time.Hour
	DefaultBackups       = 20       // with gzip (about 1:12) some 170 MB
	DefaultRingBytes     = 64 << 20 // about 250,000 records
	DefaultFoldEvery     = time.Minute
)

// Options says where records go. Only Component is required; an output whose
// destination is empty is off.
type Options struct {
	// Component stands in the console's second brackets and under "component":
	// "brain" or the worker's name. A record or logger with an attribute
	// KeyComponent overrides it.
	Component string

	Console io.Writer  // nil: none. Written from one goroutine only
	Format  Format     // "" is FormatText
	Level   slog.Level // least level on the console; the zero value is INFO
	Color   bool       // colour the WARNING and ERROR marks; see ColorFor

	File          string        // path of the JSON lines file; "": none
	FileLevel     slog.Level    // least level in the file; the zero value is INFO
	FileMegabytes int           // rotated beyond this, in MiB; 0 is DefaultFileMegabytes
	RotateEvery   time.Duration // rotated at this age; 0 is DefaultRotateEvery
	Keep          time.Duration // rotated files older than this go; 0 is DefaultKeep
	Backups       int           // rotated files beyond this go; 0 is DefaultBackups

	Ring      string // directory of the debug ring, one per process; "": none
	RingBytes int64  // bound of all its segments together; 0 is DefaultRingBytes

	FoldEvery time.Duration // how long repeats are held back; 0 is DefaultFoldEvery

	Clock clock.Clock // nil is clock.System()
}

func (o Options) withDefaults() Options {
	o.Format = or(o.Format, FormatText)
	o.FileMegabytes = or(o.FileMegabytes, DefaultFileMegabytes)
	o.RotateEvery = or(o.RotateEvery, DefaultRotateEvery)
	o.Keep = or(o.Keep, DefaultKeep)
	o.Backups = or(o.Backups, DefaultBackups)
	o.RingBytes = or(o.RingBytes, DefaultRingBytes)
	o.FoldEvery = or(o.FoldEvery, DefaultFoldEvery)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	return o
}

// or is the first of the two that is not the zero value.
func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// ParseFormat reads the value of CANDOR_LOG_FORMAT; "" is FormatText.
func ParseFormat(s string) (Format, error) {
	switch f := Format(strings.ToLower(s)); f {
	case "":
		return FormatText, nil
	case FormatText, FormatJSON:
		return f, nil
	}
	return "", fmt.Errorf("log format %q: want text or json", s)
}

// ParseLevel reads the value of CANDOR_LOG_LEVEL: debug, info, warn (or
// warning), error; "" is INFO.
func ParseLevel(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level %q: want debug, info, warn or error", s)
}

// ColorFor says whether w should get colour: it is a terminal, not a dumb one,
// and NO_COLOR (see no-color.org: any non-empty value) is not set. A --no-color
// flag is the caller's own "&& !flag".
func ColorFor(w io.Writer, getenv func(string) string) bool {
	f, ok := w.(*os.File)
	return ok && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
