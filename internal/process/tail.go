package process

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// tail keeps the last limit bytes of a stream.
type tail struct {
	limit int
	buf   []byte // grows to twice the limit, then its older half is dropped
	cut   bool   // something was dropped
}

func (t *tail) write(b []byte) {
	if len(b) >= t.limit {
		t.cut = t.cut || len(b) > t.limit || len(t.buf) > 0
		t.buf = append(t.buf[:0], b[len(b)-t.limit:]...)
		return
	}
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*t.limit {
		n := copy(t.buf, t.buf[len(t.buf)-t.limit:])
		t.buf, t.cut = t.buf[:n], true
	}
}

// text starts at a line start, unless one line fills it all.
func (t *tail) text() string {
	b, cut := t.buf, t.cut
	if len(b) > t.limit {
		b, cut = b[len(b)-t.limit:], true
	}
	if cut {
		if _, rest, ok := bytes.Cut(b, []byte{'\n'}); ok && len(rest) > 0 {
			b = rest
		}
		for len(b) > 0 && !utf8.RuneStart(b[0]) {
			b = b[1:]
		}
	}
	return plainText(b)
}

// plainText makes untrusted bytes printable: invalid UTF-8 and control
// characters (a terminal would obey them, a database may refuse zeros) become
// U+FFFD; the carriage returns of progress bars become line ends.
func plainText(b []byte) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(string(b), "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return utf8.RuneError
		}
		return r
	}, s)
}
