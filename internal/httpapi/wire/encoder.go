package wire

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"candor"
)

// encoder appends JSON and keeps the first error.
type encoder struct {
	buf []byte
	err error
}

func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) comma(i int) {
	if i > 0 {
		e.buf = append(e.buf, ',')
	}
}

// name begins a field of an object that may have had none before.
func (e *encoder) name(s string) {
	if e.buf[len(e.buf)-1] != '{' {
		e.buf = append(e.buf, ',')
	}
	e.raw(s)
}

func (e *encoder) int(n int64) { e.buf = strconv.AppendInt(e.buf, n, 10) }

func (e *encoder) number(name string, n int64) {
	if n != 0 {
		e.raw(name)
		e.int(n)
	}
}

func (e *encoder) text(name, s string) {
	if s != "" {
		e.raw(name)
		e.string(s)
	}
}

func (e *encoder) string(s string) {
	if !plain(s) {
		e.any("", s)
		return
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, '"')
}

// plain tells whether s stands in JSON as it is, by encoding/json's rules: it
// escapes quotes, backslashes, controls, <, >, &, and U+2028 and U+2029, and
// mends invalid UTF-8. The two separators are left to it with all else that
// begins with their first byte.
func plain[T string | json.RawMessage](s T) bool {
	wide := false
	for i := range len(s) {
		switch b := s[i]; {
		case b < 0x20, b == '"', b == '\\', b == '<', b == '>', b == '&', b == 0xE2:
			return false
		case b >= utf8.RuneSelf:
			wide = true
		}
	}
	return !wide || utf8.ValidString(string(s))
}

func (e *encoder) task(id candor.TaskID) {
	var err error
	if e.buf, err = id.AppendText(e.buf); err != nil && e.err == nil {
		e.err = err
	}
}

// duration appends a duration unless it is zero. Its text needs no escaping.
func (e *encoder) duration(name string, d candor.Duration) {
	if d == 0 {
		return
	}
	e.raw(name)
	text, err := d.MarshalText()
	if err != nil {
		e.fail(err)
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, text...)
	e.buf = append(e.buf, '"')
}

func (e *encoder) time(name string, t time.Time) {
	e.raw(name)
	e.buf = append(e.buf, '"')
	b, err := t.AppendText(e.buf)
	if err != nil {
		e.fail(err)
		return
	}
	e.buf = append(b, '"')
}

// json appends a value that is JSON already: as it is where that is plain to
// see, else checked and compacted.
func (e *encoder) json(name string, v json.RawMessage) {
	if n := len(v); n < 2 || v[0] != '"' || v[n-1] != '"' || !plain(v[1:n-1]) {
		e.any(name, v)
		return
	}
	e.raw(name)
	e.buf = append(e.buf, v...)
}

func (e *encoder) any(name string, v any) {
	e.raw(name)
	b, err := json.Marshal(v)
	if err != nil {
		e.fail(err)
		return
	}
	e.buf = append(e.buf, b...)
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}
