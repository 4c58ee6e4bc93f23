package record

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"time"
)

// Bounds of one record. Together they keep a JSON line under maxLine, so that a
// job that prints a novel on one line cannot blow up the ring.
const (
	maxValue = 16 << 10  // encoded bytes of the sentence or of one value
	maxAttrs = 32 << 10  // encoded bytes after which further attributes are left out
	maxLine  = 128 << 10 // 1 sentence, 2 × (attributes and one last value), and the rest
)

// timeLayout is RFC 3339 in UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// lineTime is the length of `{"time":"2026-02-07T21:45:30.123Z"`; what follows
// it in a JSON line is the record's content.
const lineTime = len(`{"`+KeyTime+`":"`) + len(timeLayout) + len(`"`)

// encoder turns one record into a JSON line (and a console line). It is reused
// through Log.pool, because two records per task at 40,000 tasks a second leave
// no room for garbage.
type encoder struct {
	line []byte // the JSON line, with its newline
	body []byte // the record's own attributes, before they join line
	text []byte // the console line
	flat []slog.Attr

	component string
	code      string
	fold      *foldMark

	second int64                     // Unix second that stamp shows
	stamp  [2 * len(timeLayout)]byte // AppendFormat needs elbow room, or it allocates
}

// encode fills e.line, and the fields that a fold needs, from r.
func (e *encoder) encode(h *handler, r slog.Record) {
	e.component, e.code, e.fold, e.body = h.component, h.code, h.fold, e.body[:0]
	r.Attrs(func(a slog.Attr) bool {
		if k := a.Value.Kind(); h.prefix == "" && k != slog.KindAny && k != slog.KindLogValuer && k != slog.KindGroup {
			e.attr(a) // flat as it is: nearly every one
			return true
		}
		e.flat = flatten(e.flat[:0], h.prefix, a)
		for _, f := range e.flat {
			e.attr(f)
		}
		return true
	})
	b := append(e.line[:0], `{"`+KeyTime+`":"`...)
	b = e.appendTime(b, r.Time)
	b = append(b, `","`+KeyLevel+`":"`...)
	b = append(b, r.Level.String()...)
	b = append(b, `","`+KeyMessage+`":`...)
	b = appendString(b, r.Message)
	b = append(b, `,"`+KeyComponent+`":`...)
	b = appendString(b, e.component)
	b = append(b, h.pre...)
	b = append(b, e.body...)
	e.line = append(b, "}\n"...)
}

// attr takes one flat attribute: it is either meant for us or joins the body.
func (e *encoder) attr(a slog.Attr) {
	switch a.Key {
	case keyFold:
		e.fold, _ = a.Value.Any().(*foldMark)
		return
	case KeyComponent:
		e.component = a.Value.String()
		return
	case KeyCode:
		e.code = a.Value.String()
	}
	e.body = appendAttr(e.body, a)
}

// appendAttr adds `,"key":value`, unless b is over its bound already.
func appendAttr(b []byte, a slog.Attr) []byte {
	if len(b) > maxAttrs {
		return b
	}
	b = append(b, ',')
	b = appendString(b, a.Key)
	b = append(b, ':')
	return appendValue(b, a.Value)
}

// flatten appends a with resolved value; a group becomes its members with
// dotted keys, so that every key of a line is at its top level.
func flatten(dst []slog.Attr, prefix string, a slog.Attr) []slog.Attr {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		if a.Key == "" && v.Equal(slog.Value{}) {
			return dst
		}
		if prefix != "" && a.Key != keyFold {
			a.Key = prefix + a.Key
		}
		return append(dst, slog.Attr{Key: a.Key, Value: v})
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range v.Group() {
		dst = flatten(dst, prefix, member)
	}
	return dst
}

func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendString(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		f := v.Float64()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendString(b, v.String()) // JSON has no word for them
		}
		return strconv.AppendFloat(b, f, 'g', -1, 64)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindTime:
		return appendString(b, v.Time().UTC().Format(timeLayout))
	case slog.KindDuration:
		return appendString(b, v.Duration().String())
	}
	return appendAny(b, v.Any())
}

// appendAny encodes what slog has no kind for: the typed strings and ids of the
// domain, errors, and as a last resort whatever JSON makes of it.
func appendAny(b []byte, x any) []byte {
	if s, ok := plainText(x); ok {
		return appendString(b, s)
	}
	j, err := marshal(x)
	if err != nil {
		return appendString(b, "!"+err.Error())
	}
	if len(j) > maxValue {
		return appendString(b, string(j))
	}
	return append(b, j...)
}

func marshal(x any) (j []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("PANIC %T", x)
		}
	}()
	return json.Marshal(x)
}

// plainText gives the text of a value that has one. A method that panics, as
// those of a nil pointer do, must not take the process along.
func plainText(x any) (s string, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			s, ok = fmt.Sprintf("!PANIC %T", x), true
		}
	}()
	switch v := x.(type) {
	case nil:
		return "", false
	case error:
		return v.Error(), true
	case json.Marshaler:
		return "", false
	case encoding.TextMarshaler:
		t, err := v.MarshalText()
		return string(t), err == nil
	case fmt.Stringer:
		return v.String(), true
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.String {
		return v.String(), true
	}
	return "", false
}

// appendTime writes t in timeLayout. Formatting the date costs more than all
// the rest of a short record, so it is kept for the second it is true for.
func (e *encoder) appendTime(b []byte, t time.Time) []byte {
	if s := t.Unix(); s != e.second || e.stamp[0] == 0 {
		e.second = s
		t.UTC().AppendFormat(e.stamp[:0], timeLayout)
	}
	ms := t.Nanosecond() / int(time.Millisecond)
	at := len(timeLayout) - len("000Z")
	e.stamp[at] = byte('0' + ms/100)
	e.stamp[at+1] = byte('0' + ms/10%10)
	e.stamp[at+2] = byte('0' + ms%10)
	return append(b, e.stamp[:len(timeLayout)]...)
}
