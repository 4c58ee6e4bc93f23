package candor

import (
	"fmt"
	"strings"
)

// TaskID names a task for ever. It is a sequence number of the store (40 bits),
// shown scrambled, so that neighbours differ in their first characters and a
// short prefix is enough to name one: t_5g7n2k9q. The scramble is a bijection
// without a key; it hides nothing. Stores start at different numbers, so ids of
// two stores do not meet by accident.
type TaskID int64

// BatchID names a batch, like TaskID: b_9m3k4t2x.
type BatchID int64

const (
	idBits  = 40
	idMask  = 1<<idBits - 1
	idChars = idBits / 5
	// MaxID is the largest sequence number an id can show.
	MaxID = idMask

	taskPrefix  = "t_"
	batchPrefix = "b_"

	// batchMix keeps the batches and tasks of one store from looking alike.
	batchMix = 0x2545F4914F
)

// alphabet is Crockford's base 32 in lower case: no i, l, o, u.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// multiplier is odd, so that multiplication modulo 2^40 can be undone.
const multiplier uint64 = 0x9E3779B97F4A7C15 & idMask

// inverse returns the inverse of an odd number modulo 2^40 by Newton's
// iteration, which doubles the number of right bits each time.
func inverse(m uint64) uint64 {
	x := m
	for range 5 {
		x *= 2 - m*x
	}
	return x & idMask
}

func scramble(n uint64) uint64 {
	n = n * multiplier & idMask
	n ^= n >> (idBits / 2)
	return n * multiplier & idMask
}

func unscramble(n uint64) uint64 {
	inv := inverse(multiplier)
	n = n * inv & idMask
	n ^= n >> (idBits / 2)
	return n * inv & idMask
}

func appendID(dst []byte, prefix string, n int64) []byte {
	dst = append(dst, prefix...)
	s := scramble(uint64(n))
	for shift := idBits - 5; shift >= 0; shift -= 5 {
		dst = append(dst, alphabet[s>>shift&31])
	}
	return dst
}

func parseID(prefix, s string) (int64, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok || len(s) != idChars {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 {
			return 0, false
		}
		n = n<<5 | uint64(d)
	}
	return int64(unscramble(n)), true
}

// String is the id as people see it.
func (id TaskID) String() string { return string(appendID(nil, taskPrefix, int64(id))) }

// AppendText appends the id as people see it.
func (id TaskID) AppendText(dst []byte) ([]byte, error) {
	return appendID(dst, taskPrefix, int64(id)), nil
}

// MarshalText is the id as people see it.
func (id TaskID) MarshalText() ([]byte, error) { return appendID(nil, taskPrefix, int64(id)), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *TaskID) UnmarshalText(b []byte) error {
	v, err := ParseTaskID(string(b))
	*id = v
	return err
}

// ParseTaskID reads a whole task id. Prefixes of one are for the brain to resolve.
func ParseTaskID(s string) (TaskID, error) {
	n, ok := parseID(taskPrefix, s)
	if !ok {
		return 0, &Error{Code: CodeInvalid, Message: fmt.Sprintf("%q is not a task id", s), Hint: "a task id looks like t_5g7n2k9q; candor ls shows them"}
	}
	return TaskID(n), nil
}

// String is the id as people see it.
func (id BatchID) String() string { return string(appendID(nil, batchPrefix, int64(id)^batchMix)) }

// AppendText appends the id as people see it.
func (id BatchID) AppendText(dst []byte) ([]byte, error) {
	return appendID(dst, batchPrefix, int64(id)^batchMix), nil
}

// MarshalText is the id as people see it.
func (id BatchID) MarshalText() ([]byte, error) {
	return appendID(nil, batchPrefix, int64(id)^batchMix), nil
}

// UnmarshalText reads what MarshalText wrote.
func (id *BatchID) UnmarshalText(b []byte) error {
	v, err := ParseBatchID(string(b))
	*id = v
	return err
}

// ParseBatchID reads a whole batch id. Prefixes of one are for the brain to resolve.
func ParseBatchID(s string) (BatchID, error) {
	n, ok := parseID(batchPrefix, s)
	if !ok {
		return 0, &Error{Code: CodeInvalid, Message: fmt.Sprintf("%q is not a batch id", s), Hint: "a batch id looks like b_9m3k4t2x; candor ls shows them"}
	}
	return BatchID(n ^ batchMix), nil
}
