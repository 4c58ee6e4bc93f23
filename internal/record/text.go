package record

import (
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// marks stand before the sentence, so that a warning is seen without colour;
// with colour they are yellow and red.
const (
	markWarn       = "WARNING: "
	markError      = "ERROR: "
	markWarnColor  = "\x1b[33mWARNING:\x1b[0m "
	markErrorColor = "\x1b[31mERROR:\x1b[0m "
)

// appendText writes the console line of r:
//
//	[2026-02-07T21:45:30.123Z] [worker-1] sentence
//
// Attributes follow only on a verbose console, and texts only if the line does
// not have them already. An error is the exception: it is the cause,
// and follows always.
func (e *encoder) appendText(b []byte, h *handler, r slog.Record, verbose bool) []byte {
	b = append(b, '[')
	b = e.appendTime(b, r.Time)
	b = append(b, "] ["...)
	b = appendVisible(b, e.component)
	b = append(b, "] "...)
	b = append(b, mark(r.Level, h.log.opts.Color)...)
	b = appendVisible(b, r.Message)
	for _, a := range h.attrs {
		b = e.appendExtra(b, a, r.Message, verbose)
	}
	r.Attrs(func(a slog.Attr) bool {
		for _, f := range flatten(nil, h.prefix, a) {
			b = e.appendExtra(b, f, r.Message, verbose)
		}
		return true
	})
	return append(b, '\n')
}

func mark(level slog.Level, color bool) string {
	switch {
	case level >= slog.LevelError && color:
		return markErrorColor
	case level >= slog.LevelError:
		return markError
	case level >= slog.LevelWarn && color:
		return markWarnColor
	case level >= slog.LevelWarn:
		return markWarn
	}
	return ""
}

func (e *encoder) appendExtra(b []byte, a slog.Attr, sentence string, verbose bool) []byte {
	// The summary of a fold always says how often.
	if a.Key == keyFold || a.Key == KeyComponent || a.Key == KeyRepeats || !verbose && a.Key != KeyError {
		return b
	}
	value := textOf(a.Value)
	if value == "" || value == e.component || tells(a.Value) && says(sentence, value) {
		return b
	}
	b = append(b, ' ')
	b = appendVisible(b, a.Key)
	b = append(b, '=')
	if !strings.ContainsAny(value, " =\"") {
		return appendVisible(b, value)
	}
	b = append(b, '"')
	b = appendVisible(b, strings.ReplaceAll(value, `"`, `\"`))
	return append(b, '"')
}

func textOf(v slog.Value) string {
	switch v.Kind() {
	case slog.KindAny:
	case slog.KindTime:
		return v.Time().UTC().Format(timeLayout)
	default:
		return v.String()
	}
	if s, ok := plainText(v.Any()); ok {
		return s
	}
	return string(appendAny(nil, v.Any()))
}

// telling is the shortest text that a sentence does not hold by coincidence.
const telling = 4

// tells reports whether v, found in a sentence, is what the sentence speaks of.
// A number is not: the 1 of attempt=1 may be an index, a count or an exit code.
func tells(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindString, slog.KindAny:
		return utf8.RuneCountInString(textOf(v)) >= telling
	default:
		return false
	}
}

// says reports whether sentence has value as a word of its own: "worker-1" is
// not said by "worker-12".
func says(sentence, value string) bool {
	for from := 0; ; {
		i := strings.Index(sentence[from:], value)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(sentence[:i])
		after, _ := utf8.DecodeRuneInString(sentence[i+len(value):])
		if !joins(before) && !joins(after) {
			return true
		}
		from = i + 1
	}
}

// joins reports whether r makes one word with its neighbour. Full stop and
// colon do not: sentences end with them.
func joins(r rune) bool {
	return r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
