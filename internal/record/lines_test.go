package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 2, 7, 21, 45, 30, 123_456_789, time.FixedZone("", 2*3600))

// say is one record at a fixed time.
func say(l *slog.Logger, level slog.Level, msg string, attrs ...slog.Attr) {
	r := slog.NewRecord(noon, level, msg, 0)
	r.AddAttrs(attrs...)
	_ = l.Handler().Handle(context.Background(), r)
}

// transcript logs one of each kind of record.
func transcript(l *slog.Logger) {
	w := l.With(KeyWorker, "worker-1")
	say(w, slog.LevelInfo, "Claimed script task: d5de16d7 (transcribe-12)",
		slog.String(KeyTask, "t_0199aa00-d5de16d7"), slog.String(KeyClass, "script"), slog.Int(KeyAttempt, 1))
	say(w, slog.LevelInfo, "Claimed cpu task: 0199aa01 (a[1])",
		slog.String(KeyName, "a[1]"), slog.String(KeyClass, "cpu"), slog.Int(KeyAttempt, 1), slog.Int64(KeyLease, 12))
	say(w, slog.LevelDebug, "Lost race: d5de16d7 (to worker-2, by 4ms)", slog.Int64(KeyDurationMS, 4))
	say(l, slog.LevelWarn, "Stuck tasks detected: a1b2c3d4 on worker-1 for 6m", slog.String(KeyComponent, "brain"))
	say(l, slog.LevelError, "Worker crashed in main loop", slog.Any(KeyError, errors.New("index out of range [3]\nwith length 3")))
	say(l, slog.LevelWarn, "Brain not reachable: connection refused", slog.String(KeyError, "connection refused"))
	say(l, slog.LevelInfo, "file \x1b[31mred\x1b[0m\r\n[2026-02-07T21:45:30.123Z] [brain] forged \u202e bell\a \xff ü 世")
	say(l, slog.LevelInfo, "socket opened", slog.String(KeyURL, `a "b" c`))
	say(l.WithGroup("job"), slog.LevelInfo, "kinds", slog.Float64("ratio", 0.25), slog.Bool("hot", true),
		slog.Duration("wait", 90*time.Second), slog.Time("at", noon), slog.Any("list", []string{"a", "b"}),
		slog.Group("exit", slog.Int("code", 75)), slog.Any("nil", nil), slog.Uint64("size", 1<<40))
}

func TestConsoleAndFileLinesAreFrozen(t *testing.T) {
	for name, o := range map[string]Options{
		"info":    {},
		"verbose": {Level: slog.LevelDebug},
		"color":   {Color: true, Level: slog.LevelWarn},
		"json":    {Format: FormatJSON, Level: slog.LevelDebug},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			o.Component, o.Console = "worker-1", &out
			l := open(t, o)
			transcript(l.Logger())
			closeLog(t, l)
			golden(t, name, out.Bytes())
		})
	}
}

func TestFileHasTheJSONOfTheConsole(t *testing.T) {
	var console bytes.Buffer
	path := filepath.Join(t.TempDir(), "logs", "w.log")
	l := open(t, Options{Component: "worker-1", Console: &console, Format: FormatJSON, File: path})
	transcript(l.Logger())
	closeLog(t, l)
	if diff := cmp.Diff(console.String(), read(t, path)); diff != "" {
		t.Errorf("console and file differ:\n%s", diff)
	}
}

type broken struct{}

func (*broken) Error() string { panic("no") }

type unmarshalable struct{}

func (unmarshalable) MarshalJSON() ([]byte, error) { panic("no") }

func TestOddValuesDoNotHurt(t *testing.T) {
	var out bytes.Buffer
	l := open(t, Options{Console: &out, Format: FormatJSON})
	l.Logger().Info("x", "panics", (*broken)(nil), "json", unmarshalable{}, "func", func() {}, "huge", strings.Repeat("x", 1<<20), "named", slog.LevelInfo)
	for range 3 {
		l.Logger().Info(strings.Repeat("\x01", 1<<20), "a", strings.Repeat("\x02", 1<<20), "b", strings.Repeat("\x03", 1<<20),
			"c", strings.Repeat("\x04", 1<<20), "d", strings.Repeat("\x04", 1<<20))
	}
	closeLog(t, l)
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if !json.Valid([]byte(line)) || len(line) >= maxLine {
			t.Errorf("line of %d bytes, valid %v", len(line), json.Valid([]byte(line)))
		}
	}
	if !strings.Contains(out.String(), `"panics":"!PANIC *record.broken","json":"!PANIC record.unmarshalable","func":"!json: unsupported type: func()"`) || !strings.Contains(out.String(), cut) {
		t.Errorf("got %.300s", out.String())
	}
}

func FuzzOneRecordIsOneHarmlessLine(f *testing.F) {
	f.Add("plain", "key", "value")
	f.Add("a\nb\x1b[2J", "k y\n", "\u2028\xff\x9b")
	f.Fuzz(func(t *testing.T, msg, key, value string) {
		var text, jsonl bytes.Buffer
		for o, out := range map[Format]*bytes.Buffer{FormatText: &text, FormatJSON: &jsonl} {
			l := open(t, Options{Component: "c", Console: out, Format: o, Level: slog.LevelDebug})
			l.Logger().Info(msg, slog.String(key, value))
			closeLog(t, l)
		}
		if !json.Valid(jsonl.Bytes()) {
			t.Fatalf("not JSON: %s", jsonl.Bytes())
		}
		for _, out := range []string{text.String(), jsonl.String()} {
			line, rest, _ := strings.Cut(out, "\n")
			if rest != "" {
				t.Fatalf("more than one line: %q", out)
			}
			for _, r := range line {
				if !unicode.IsPrint(r) {
					t.Fatalf("%U in %q", r, line)
				}
			}
		}
	})
}

func TestParse(t *testing.T) {
	for in, want := range map[string]slog.Level{"": slog.LevelInfo, "DEBUG": slog.LevelDebug, "warning": slog.LevelWarn, "warn": slog.LevelWarn, "error": slog.LevelError} {
		if got, err := ParseLevel(in); err != nil || got != want {
			t.Errorf("level %q: %v, %v", in, got, err)
		}
	}
	for in, want := range map[string]Format{"": FormatText, "json": FormatJSON, "TEXT": FormatText} {
		if got, err := ParseFormat(in); err != nil || got != want {
			t.Errorf("format %q: %v, %v", in, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("level loud accepted")
	}
	if _, err := ParseFormat("xml"); err == nil {
		t.Error("format xml accepted")
	}
	if ColorFor(&bytes.Buffer{}, func(string) string { return "" }) {
		t.Error("colour into a buffer")
	}
}

func open(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, path), string(got)); diff != "" {
		t.Errorf("%s (rewrite with -update):\n%s", path, diff)
	}
}
