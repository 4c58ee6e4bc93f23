package gpu

import (
	"math"
	"strconv"
	"strings"
)

const mebibyte = 1 << 20

// read parses one field of a tool. Text that is no number ("[N/A]", "ERR!",
// "[Not Supported]", "[Unknown Error]", "[Insufficient Permissions]") gives an
// unknown Reading; so does a number that cannot be one of this kind.
func read[T any](raw string, parse func(string) (T, bool)) Reading[T] {
	raw = strings.TrimSpace(raw)
	v, ok := parse(raw)
	return Reading[T]{Value: v, Known: ok, Raw: raw}
}

func number(s string) (float64, bool) {
	// Old rocm-smi, and nvidia-smi where nounits is ignored, append the unit.
	s, _, _ = strings.Cut(s, " ")
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func natural(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

// amount makes a parser of sizes in units of the given number of bytes.
func amount(unit float64) func(string) (int64, bool) {
	return func(s string) (int64, bool) {
		f, ok := number(s)
		if !ok || f < 0 || f*unit > math.MaxInt64/2 {
			return 0, false
		}
		return int64(f * unit), true
	}
}

func percent(s string) (float64, bool) {
	f, ok := number(s)
	if !ok || f < 0 || f > 100 {
		return 0, false
	}
	return f / 100, true
}

func positive(s string) (float64, bool) {
	f, ok := number(s)
	if !ok || f < 0 {
		return 0, false
	}
	return f, true
}
