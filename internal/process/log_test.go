package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

type stoppedClock struct{}

func (stoppedClock) Now() time.Time                              { return time.Unix(1, 0) }
func (stoppedClock) After(time.Duration) <-chan time.Time        { return nil }
func (stoppedClock) AfterFunc(time.Duration, func()) func() bool { return func() bool { return true } }

func newLog(t testing.TB, path string, limit int64) *outlog {
	l, err := createLog(stoppedClock{}, Spec{Log: path, LogLimit: limit, TailLimit: 16})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// kept is what a log of this limit must hold of all.
func kept(all []byte, limit int64) string {
	half := limit / 2
	if int64(len(all)) <= 2*half {
		return string(all)
	}
	head := all[:half]
	return string(head) + marker(int64(len(all)), head[half-1] == '\n') + string(all[int64(len(all))-half:])
}

func TestLogKeepsHeadAndTail(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.Int64Range(2, 64).Draw(r, "limit")
		writes := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 80)).Draw(r, "writes")
		path := filepath.Join(dir, "log")
		l := newLog(t, path, limit)
		var all []byte
		for _, w := range writes {
			l.write(w)
			all = append(all, w...)
		}
		crashed := rapid.Bool().Draw(r, "crashed")
		if crashed {
			l.head.Close()
			if l.ring != nil {
				l.ring.f.Close()
			}
			if err := finishLog(path); err != nil {
				r.Fatal(err)
			}
		} else {
			l.close()
		}
		got, err := os.ReadFile(path)
		if err != nil {
			r.Fatal(err)
		}
		if want := kept(all, limit); string(got) != want {
			r.Fatalf("log %q, want %q", got, want)
		}
		o := l.output()
		if o.Written != int64(len(all)) || o.LogErr != "" || o.Truncated != (int64(len(all)) > 2*(limit/2)) {
			r.Fatalf("output %+v", o)
		}
		if _, err := os.Stat(ringPath(path)); !errors.Is(err, os.ErrNotExist) {
			r.Fatalf("ring left: %v", err)
		}
	})
}

// A follower gets every byte in order, or a marker in place of what it missed.
func TestFollowerSeesAllOrAMarker(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.Int64Range(2, 64).Draw(r, "limit")
		path := filepath.Join(dir, "log")
		l := newLog(t, path, limit)
		f, err := OpenLog(path)
		if err != nil {
			r.Fatal(err)
		}
		defer f.Close()
		var all, seen []byte
		for i := range rapid.IntRange(0, 30).Draw(r, "steps") {
			if rapid.Bool().Draw(r, "read") {
				seen = append(seen, readSome(r, f, rapid.IntRange(1, 50).Draw(r, "size"))...)
				continue
			}
			w := bytes.Repeat([]byte{byte('a' + i%26)}, rapid.IntRange(1, 40).Draw(r, "n"))
			l.write(w)
			all = append(all, w...)
		}
		l.close()
		for more := readSome(r, f, 50); len(more) > 0; more = readSome(r, f, 50) {
			seen = append(seen, more...)
		}
		checkFollowed(r, all, seen)
	})
}

func readSome(r *rapid.T, f *LogReader, size int) []byte {
	b := make([]byte, size)
	n, err := f.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.Fatal(err)
	}
	return b[:n]
}

// checkFollowed matches the pieces between markers, in order, with the output;
// the first must begin it and the last end it.
func checkFollowed(r *rapid.T, all, seen []byte) {
	var pieces [][]byte
	for line := range bytes.SplitSeq(seen, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte("[... truncated, ")) {
			pieces = append(pieces, line)
		}
	}
	if !bytes.HasPrefix(all, pieces[0]) || !bytes.HasSuffix(all, pieces[len(pieces)-1]) {
		r.Fatalf("followed %q of %q", seen, all)
	}
	rest := all
	for _, p := range pieces {
		at := bytes.Index(rest, p)
		if at < 0 {
			r.Fatalf("followed %q of %q: %q is out of order", seen, all, p)
		}
		rest = rest[at+len(p):]
	}
	if len(pieces) == 1 && len(seen) != len(all) {
		r.Fatalf("followed %q of %q without a marker", seen, all)
	}
}

func TestFollowerBesideAFastWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := newLog(t, path, 8<<10)
	f, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20_000 {
			l.write(bytes.Repeat([]byte{byte('a' + i%26)}, 36))
			l.write([]byte("\n"))
		}
		l.close()
	}()
	var seen bytes.Buffer
	for over := false; ; {
		n, err := io.Copy(&seen, f)
		if err != nil {
			t.Fatal(err)
		}
		if over && n == 0 {
			break
		}
		select {
		case <-done:
			over = true
		default:
		}
	}
	// Lines cut by a gap stand beside a marker; all others are of one letter.
	lines := strings.Split(strings.TrimSuffix(seen.String(), "\n"), "\n")
	if last := lines[len(lines)-1]; last != strings.Repeat(string(rune('a'+19_999%26)), 36) {
		t.Errorf("last line %q", last)
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "[... truncated") {
			continue
		}
		if line != "" && strings.Trim(line, line[:1]) != "" {
			t.Fatalf("line %d is torn: %q", i, line)
		}
	}
}

func FuzzLog(f *testing.F) {
	f.Add([]byte("hello\nworld\n"), uint8(4), uint8(3))
	f.Add(bytes.Repeat([]byte("0123456789"), 30), uint8(64), uint8(7))
	f.Fuzz(func(t *testing.T, all []byte, limit, chunk uint8) {
		all = all[:min(len(all), 4<<10)]
		path := filepath.Join(t.TempDir(), "log")
		size := max(int64(limit), 2)
		l := newLog(t, path, size)
		for rest := all; len(rest) > 0; {
			n := min(len(rest), int(chunk)+1)
			l.write(rest[:n])
			rest = rest[n:]
		}
		l.close()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != kept(all, size) {
			t.Errorf("log %q of %q", got, all)
		}
		if text := l.tailText(); !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\r") {
			t.Errorf("tail %q", text)
		}
	})
}

func TestTailStartsAtALine(t *testing.T) {
	cases := []struct{ in, want string }{
		{"short\n", "short\n"},
		{"a long first line\nlast\n", "last\n"},
		{strings.Repeat("ä", 20), strings.Repeat("ä", 8)},
		{"\x1b[31mred\x00\xff\n", "\uFFFD[31mred\uFFFD\uFFFD\n"},
		{"10 %\r20 %\r\nok", "10 %\n20 %\nok"},
	}
	for _, c := range cases {
		tl := tail{limit: 16}
		for i := range len(c.in) {
			tl.write([]byte{c.in[i]})
		}
		if got := tl.text(); got != c.want {
			t.Errorf("tail of %q = %q, want %q", c.in, got, c.want)
		}
	}
}

// Whoever clears up behind a dead worker puts the end of the output in its place;
// a worker that was taken for dead does no harm by it.
func TestClearingUpKeepsTheEndOfTheOutput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	l := newLog(t, path, 16)
	all := []byte("0123456789abcdefghijklmnopqrstuvwxyz\n")
	l.write(all)
	if err := WriteRecord(LeasePath(dir, 7), Record{PID: 1 << 30, Boot: "another", Mark: []string{"CANDOR_LEASE=7"}, Log: path}); err != nil {
		t.Fatal(err)
	}
	swept, err := KillLeases(stoppedClock{}, dir, time.Second)
	if err != nil || len(swept) != 1 || !swept[0].Clean() || swept[0].LogErr != nil {
		t.Fatalf("%+v, %v", swept, err)
	}
	for _, who := range []string{"its successor", "the worker itself"} {
		b, err := os.ReadFile(path)
		if err != nil || string(b) != kept(all, 16) {
			t.Errorf("%s left %q (%v), want %q", who, b, err, kept(all, 16))
		}
		if _, err := os.Stat(ringPath(path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s left the ring: %v", who, err)
		}
		l.close()
	}
	if o := l.output(); o.LogErr != "" {
		t.Errorf("it says of its log: %s", o.LogErr)
	}
}

func TestFinishLogRefusesAForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, p := range []string{path, ringPath(path)} {
		if err := os.WriteFile(p, bytes.Repeat([]byte("?"), 100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := finishLog(path); !errors.Is(err, errNoRing) {
		t.Errorf("err = %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || len(b) != 100 {
		t.Errorf("the head was touched: %d bytes, %v", len(b), err)
	}
}
