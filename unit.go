package candor

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that reads and writes as text: 90s, 10m, 1h30m.
type Duration time.Duration

// D is the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String is the short form: 90s is 1m30s, 10m0s is 10m.
func (d Duration) String() string { return ShortDuration(time.Duration(d)) }

// MarshalText is exact, in Go's duration syntax without zero tails (25h1m1.5s),
// so that UnmarshalText reads back what was written; the short form would not.
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return []byte(text), nil
}

// UnmarshalText reads Go's duration syntax; a bare number is refused, since its unit is anybody's guess.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("%q is not a duration", b), Hint: "write it with a unit, like 90s, 10m or 1h30m"}
	}
	*d = Duration(v)
	return nil
}

// ShortDuration writes a duration for people: at most two units, no zero tails:
// 340ms, 4.2s, 34s, 14m, 1h12m, 3d4h.
func ShortDuration(d time.Duration) string {
	if d < 0 {
		return "-" + ShortDuration(-d)
	}
	switch {
	case d == 0:
		return "0s"
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < 10*time.Second && d%time.Second >= 50*time.Millisecond:
		return strconv.FormatFloat(math.Floor(d.Seconds()*10)/10, 'f', -1, 64) + "s"
	case d < 2*time.Minute && d%time.Minute != 0:
		if d < time.Minute {
			return strconv.Itoa(int(d/time.Second)) + "s"
		}
		return pair(1, "m", int((d-time.Minute)/time.Second), "s")
	case d < time.Hour:
		return pair(int(d/time.Minute), "m", int(d%time.Minute/time.Second), "s")
	case d < 24*time.Hour:
		return pair(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "m")
	default:
		return pair(int(d/(24*time.Hour)), "d", int(d%(24*time.Hour)/time.Hour), "h")
	}
}

func pair(a int, ua string, b int, ub string) string {
	if b == 0 {
		return strconv.Itoa(a) + ua
	}
	return strconv.Itoa(a) + ua + strconv.Itoa(b) + ub
}

// Bytes is an amount of memory or disk. It reads "24GiB", "500MB", "1024" and
// writes the largest fitting binary unit.
type Bytes int64

// Binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40
)

var byteUnits = []struct {
	suffix string
	size   float64
}{
	{"tib", 1 << 40}, {"gib", 1 << 30}, {"mib", 1 << 20}, {"kib", 1 << 10},
	{"tb", 1e12}, {"gb", 1e9}, {"mb", 1e6}, {"kb", 1e3}, {"b", 1}, {"", 1},
}

// String writes the largest binary unit with at most one decimal: 6 GiB, 1.5 MiB.
func (b Bytes) String() string {
	if b < 0 {
		return "-" + (-b).String()
	}
	for _, u := range []struct {
		name string
		size Bytes
	}{{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}} {
		if b >= u.size {
			return strconv.FormatFloat(math.Round(float64(b)/float64(u.size)*10)/10, 'f', -1, 64) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + " B"
}

// ParseBytes reads an amount with an optional unit, in any case, with or without a space.
func ParseBytes(s string) (Bytes, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	for _, u := range byteUnits {
		num, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || v < 0 || math.IsNaN(v) || v*u.size > math.MaxInt64/2 {
			break
		}
		return Bytes(v * u.size), nil
	}
	return 0, &Error{Code: CodeInvalid, Message: fmt.Sprintf("%q is not an amount of memory", s), Hint: "write it like 6GiB, 500MB or a plain number of bytes"}
}

// UnmarshalJSON takes a number of bytes or a text with a unit.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var n int64
	if json.Unmarshal(data, &n) == nil {
		*b = Bytes(n)
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("%s is not an amount of memory", data)}
	}
	v, err := ParseBytes(s)
	*b = v
	return err
}

// Timestamp is how candor writes instants: RFC 3339, UTC, milliseconds.
const Timestamp = "2006-01-02T15:04:05.000Z"

// FormatTime writes an instant as Timestamp does.
func FormatTime(t time.Time) string { return t.UTC().Format(Timestamp) }
