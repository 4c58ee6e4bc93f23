package record

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// cut stands at the end of a text that was too long for a record.
const cut = "…(cut)"

// appendString writes s as a JSON string of at most maxValue bytes. Beside what
// JSON demands it escapes everything that is not for printing, so that `cat` of
// a log file is as harmless as the console.
func appendString(b []byte, s string) []byte {
	end := len(b) + maxValue
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if len(b)+i-start >= end {
			b = append(b, s[start:i]...)
			return append(b, cut+`"`...)
		}
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && printable(r, size) {
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		b = appendJSONRune(b, r)
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendJSONRune(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	case '\r':
		return append(b, '\\', 'r')
	}
	if r > 0xffff {
		return utf8.AppendRune(b, utf8.RuneError) // unprintable beyond the basic plane: tags, private use
	}
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendVisible writes s for a console line: what a terminal would obey rather
// than show becomes visible Go notation (\n, \x1b, \u202e).
func appendVisible(b []byte, s string) []byte {
	start, end := 0, len(b)+maxValue
	for i := 0; i < len(s); {
		if len(b)+i-start >= end {
			return append(append(b, s[start:i]...), cut...)
		}
		if c := s[i]; c >= ' ' && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if printable(r, size) {
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscaped(b, s[i:i+size], r)
		i += size
		start = i
	}
	return append(b, s[start:]...)
}

func appendEscaped(b []byte, raw string, r rune) []byte {
	if r == utf8.RuneError && len(raw) == 1 {
		return append(b, '\\', 'x', hex[raw[0]>>4], hex[raw[0]&15])
	}
	q := strconv.AppendQuoteRuneToASCII(nil, r)
	return append(b, q[1:len(q)-1]...)
}

// printable is false for control characters (C0, C1, DEL), for separators other
// than the space, for bidirectional overrides and the like, and for bytes that
// are not UTF-8.
func printable(r rune, size int) bool {
	return (r != utf8.RuneError || size > 1) && unicode.IsPrint(r)
}
