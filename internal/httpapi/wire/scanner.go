package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"candor"
)

// scanner reads JSON that was written by encoder: fields in their order, no
// white space. Whatever else it meets makes it bad, and the caller turns to
// encoding/json; it must never read a value differently from it.
type scanner struct {
	data []byte
	pos  int
	bad  bool
}

// ok tells whether everything was read as expected, to the end.
func (s *scanner) ok() bool { return !s.bad && s.pos == len(s.data) }

// take skips lit if it comes next.
func (s *scanner) take(lit string) bool {
	if s.bad || len(s.data)-s.pos < len(lit) || string(s.data[s.pos:s.pos+len(lit)]) != lit {
		return false
	}
	s.pos += len(lit)
	return true
}

func (s *scanner) want(lit string) {
	if !s.take(lit) {
		s.bad = true
	}
}

// field skips a field's name, with a comma before it unless it is the first.
func (s *scanner) field(first int, name string) bool {
	if s.pos == first {
		return s.take(name)
	}
	mark := s.pos
	if s.take(",") && s.take(name) {
		return true
	}
	s.pos = mark
	return false
}

// count estimates how many elements a list has.
func (s *scanner) count(begin string) int {
	return min(bytes.Count(s.data[s.pos:], []byte(begin)), maxHint)
}

// maxDigits keeps a number from overflowing; longer ones are encoding/json's.
const maxDigits = 18

func (s *scanner) int() int64 {
	neg := s.take("-")
	begin := s.pos
	var n int64
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		n = n*10 + int64(s.data[s.pos]-'0')
		if s.pos++; s.pos-begin > maxDigits {
			s.bad = true
			return 0
		}
	}
	digits := s.pos - begin
	if digits == 0 || (digits > 1 && s.data[begin] == '0') || (strconv.IntSize == 32 && n > math.MaxInt32) {
		s.bad = true
	}
	if neg {
		return -n
	}
	return n
}

// quoted skips a string and returns it with its quotes. One that encoding/json
// would read otherwise than byte by byte makes s bad.
func (s *scanner) quoted() []byte {
	if s.bad || s.pos >= len(s.data) || s.data[s.pos] != '"' {
		s.bad = true
		return nil
	}
	begin := s.pos
	wide := false
	for i := begin + 1; i < len(s.data); i++ {
		switch b := s.data[i]; {
		case b == '"':
			s.pos = i + 1
			if v := s.data[begin:s.pos]; !wide || utf8.Valid(v) {
				return v
			}
			s.bad = true
			return nil
		case b < 0x20, b == '\\':
			s.bad = true
			return nil
		case b >= utf8.RuneSelf:
			wide = true
		}
	}
	s.bad = true
	return nil
}

// bytes skips a string and returns what is in it.
func (s *scanner) bytes() []byte {
	q := s.quoted()
	if s.bad {
		return nil
	}
	return q[1 : len(q)-1]
}

func (s *scanner) task(id *candor.TaskID) {
	if b := s.bytes(); !s.bad && id.UnmarshalText(b) != nil {
		s.bad = true
	}
}

func (s *scanner) time(t *time.Time) {
	if q := s.quoted(); !s.bad && t.UnmarshalJSON(q) != nil {
		s.bad = true
	}
}

func (s *scanner) duration(d *candor.Duration) {
	b := s.bytes()
	if s.bad {
		return
	}
	if n, ok := millis(b); ok {
		*d = candor.Duration(n)
		return
	}
	if d.UnmarshalText(b) != nil {
		s.bad = true
	}
}

// maxMillis is how many digits of milliseconds are read here.
const maxMillis = 6

// millis reads 12ms without a detour.
func millis(b []byte) (time.Duration, bool) {
	digits, ok := bytes.CutSuffix(b, []byte("ms"))
	if !ok || len(digits) == 0 || len(digits) > maxMillis {
		return 0, false
	}
	var n time.Duration
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + time.Duration(c-'0')
	}
	return n * time.Millisecond, true
}

// json skips a value and copies it.
func (s *scanner) json(dst *json.RawMessage) {
	if v := s.value(); !s.bad {
		*dst = bytes.Clone(v)
	}
}

// any reads a value by encoding/json.
func (s *scanner) any(dst any) {
	if v := s.value(); !s.bad && json.Unmarshal(v, dst) != nil {
		s.bad = true
	}
}

// value skips a value and returns it. Plain strings are known to be valid; of
// others only the end is found, and then they are checked.
func (s *scanner) value() []byte {
	if s.bad {
		return nil
	}
	begin := s.pos
	if v := s.quoted(); !s.bad {
		return v
	}
	s.bad = false
	s.pos = begin
	s.pos = valueEnd(s.data, begin)
	if v := s.data[begin:s.pos]; len(bytes.TrimSpace(v)) == len(v) && json.Valid(v) {
		return v
	}
	s.bad = true
	return nil
}

// valueEnd finds the end of the value at pos: where, outside strings, brackets
// are balanced and a comma or a closing bracket follows.
func valueEnd(data []byte, pos int) int {
	depth := 0
	for ; pos < len(data); pos++ {
		switch data[pos] {
		case '"':
			for pos++; pos < len(data) && data[pos] != '"'; pos++ {
				if data[pos] == '\\' {
					pos++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return pos
			}
			depth--
		case ',':
			if depth == 0 {
				return pos
			}
		}
	}
	return len(data)
}
