package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ringMessages(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	for line, err := range records(dir) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, message(t, line))
	}
	return list
}

func message(t testing.TB, line []byte) string {
	t.Helper()
	var r struct{ Msg string }
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return r.Msg
}

func TestFileRotatesWithoutLosingALine(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Component: "brain", File: filepath.Join(dir, "brain.log"), FileMegabytes: 1})
	const n = 12_000 // about 3 MB
	pad := strings.Repeat("x", 200)
	for i := range n {
		l.Logger().Info(fmt.Sprint(i), "pad", pad)
	}
	closeLog(t, l)
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	seen, packed := map[string]bool{}, 0
	for _, path := range paths {
		content := []byte(read(t, path))
		if strings.HasSuffix(path, ".gz") {
			packed++
			content = gunzip(t, content)
		}
		if len(content) > 1<<20 {
			t.Errorf("%s has %d bytes", path, len(content))
		}
		for line := range bytes.Lines(content) {
			seen[message(t, line)] = true
		}
	}
	if len(seen) != n || packed < 2 || len(paths) != packed+1 {
		t.Errorf("%d of %d records in %d files, %d of them packed", len(seen), n, len(paths), packed)
	}
}

func gunzip(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRingStaysInItsBoundAndKeepsTheLatest(t *testing.T) {
	dir := t.TempDir()
	const bound, n = 1 << 20, 20_000
	next := 0
	for range 4 { // restarts
		l := open(t, Options{Component: "w", Ring: dir, RingBytes: bound})
		for range n / 4 {
			l.Logger().Debug(fmt.Sprint(next), "pad", strings.Repeat("x", 150))
			next++
		}
		closeLog(t, l)
		var size int64
		list, err := segments(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			size += s.size
		}
		if size > bound {
			t.Errorf("ring of %d bytes, bound %d", size, bound)
		}
	}
	got := ringMessages(t, dir)
	if len(got) < 3000 { // 7/8 of the bound at 250 bytes each
		t.Errorf("only %d records kept", len(got))
	}
	for i, msg := range got {
		if want := fmt.Sprint(n - len(got) + i); msg != want {
			t.Fatalf("record %d is %s, want %s", i, msg, want)
		}
	}
}

func TestTornLineSpoilsNoOther(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "w.log")
	torn := filepath.Join(dir, fmt.Sprintf(segmentPattern, 7))
	for _, path := range []string{file, torn} {
		if err := os.WriteFile(path, []byte("{\"msg\":\"a\"}\n{\"msg\":\"b"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, Options{Component: "w", Ring: dir, File: file})
	l.Logger().Info("c")
	closeLog(t, l)
	if diff := cmp.Diff([]string{"a", "c"}, ringMessages(t, dir)); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Split(read(t, file), "\n"); len(lines) != 4 || message(t, []byte(lines[2])) != "c" {
		t.Errorf("file: %q", lines)
	}
}

// victim is the child of TestFlushedRecordsSurviveKill.
func victim(dir string) {
	l, err := Open(Options{Component: "victim", Ring: dir, File: filepath.Join(dir, "victim.log")})
	if err != nil {
		panic(err)
	}
	for i := range 1000 {
		l.Logger().Info(fmt.Sprint(i))
	}
	l.Logger().Debug("last")
	if err := l.Flush(); err != nil {
		panic(err)
	}
	fmt.Println("flushed")
	_, _ = io.ReadAll(os.Stdin) // until killed
}

func TestFlushedRecordsSurviveKill(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childRing+"="+dir)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "flushed\n" {
		t.Errorf("child said %q, %v", line, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var died *exec.ExitError
	if err := child.Wait(); !errors.As(err, &died) || died.Exited() {
		t.Fatalf("child ended by itself: %v", err)
	}
	got := ringMessages(t, dir)
	if len(got) != 1001 || got[1000] != "last" {
		t.Errorf("%d records, last %q", len(got), got[len(got)-1:])
	}
	if n := strings.Count(read(t, filepath.Join(dir, "victim.log")), "\n"); n != 1000 {
		t.Errorf("%d records in the file", n)
	}
}

func TestRecordsReachTheKernelInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "w.log")
		l := open(t, Options{Component: "w", File: path})
		l.Logger().Info("one")
		time.Sleep(flushEvery - time.Millisecond)
		synctest.Wait()
		if got := read(t, path); got != "" {
			t.Errorf("written at once, unbuffered: %s", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := read(t, path); strings.Count(got, "\n") != 1 {
			t.Errorf("after %v: %q", flushEvery, got)
		}
		l.Logger().Info("two")
		l.Logger().Warn("three")
		if got := read(t, path); strings.Count(got, "\n") != 3 {
			t.Errorf("after a warning: %q", got)
		}
		closeLog(t, l)
	})
}

// stopped is a terminal after Ctrl-S: it takes nothing until released.
type stopped struct {
	release chan struct{}
	bytes.Buffer
}

func (s *stopped) Write(p []byte) (int, error) {
	<-s.release
	return s.Buffer.Write(p)
}

func TestStoppedConsoleStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stopped{release: make(chan struct{})}
		l := open(t, Options{Component: "w", Console: out})
		const n = 3 * maxConsole / 1000
		pad := strings.Repeat("x", 1000)
		for range n {
			l.Logger().Info(pad)
		}
		if err := l.Sync(); err != nil { // gives up after a while
			t.Error(err)
		}
		close(out.release)
		closeLog(t, l)
		shown := strings.Count(out.String(), pad)
		want := fmt.Sprintf("WARNING: %d lines are missing here: the console did not take them\n", n-shown)
		if shown == n || !strings.Contains(out.String(), want) {
			t.Errorf("%d of %d shown, no %q", shown, n, want)
		}
	})
}

// full is a disk that is full until there is room.
type full struct {
	room bool
	bytes.Buffer
}

func (f *full) Close() error { return nil }

func (f *full) Write(p []byte) (int, error) {
	if f.room {
		return f.Buffer.Write(p)
	}
	n, _ := f.Buffer.Write(p[:10])
	return n, errors.New("no space left on device")
}

func TestFullDiskIsSaidOnceAndCounted(t *testing.T) {
	var console bytes.Buffer
	disk := &full{}
	l := open(t, Options{Component: "w", Console: &console, Level: slog.LevelWarn, Ring: t.TempDir()})
	if err := l.ring.w.Close(); err != nil {
		t.Fatal(err)
	}
	l.ring.w = disk
	for range 3 {
		l.Logger().Info("gone")
		if err := l.Flush(); err == nil {
			t.Error("no error from Flush")
		}
	}
	if n, err := l.Lost(); n != 3 || err == nil {
		t.Errorf("lost %d, %v", n, err)
	}
	disk.room = true
	l.Logger().Info("back")
	closeLog(t, l)
	if n, err := l.Lost(); n != 3 || err != nil {
		t.Errorf("after: lost %d, %v", n, err)
	}
	if n := strings.Count(console.String(), "cannot be written, records are lost: no space left on device"); n != 1 {
		t.Errorf("said %d times: %s", n, &console)
	}
	lines := strings.Split(disk.String(), "\n") // three torn ones first
	if len(lines) != 6 || message(t, []byte(lines[3])) != "3 records are missing here: no space left on device" ||
		message(t, []byte(lines[4])) != "back" {
		t.Errorf("disk: %q", lines)
	}
}

func TestOpenSaysWhatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plain")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Options{File: filepath.Join(file, "x.log"), Ring: filepath.Join(dir, "ring")})
	if err == nil || !strings.HasPrefix(err.Error(), "open log file: ") {
		t.Errorf("file: %v", err)
	}
	_, err = Open(Options{Ring: file})
	if err == nil || !strings.HasPrefix(err.Error(), "open debug ring: ") {
		t.Errorf("ring: %v", err)
	}
}

func TestLevelsGateEachOutput(t *testing.T) {
	var console bytes.Buffer
	dir := t.TempDir()
	l := open(t, Options{Component: "w", Console: &console, Level: slog.LevelError, File: filepath.Join(dir, "f"), Ring: dir})
	log := l.Logger()
	all := func() { log.Debug("d"); log.Info("i"); log.Error("e") }
	all()
	l.SetLevel(slog.LevelInfo)
	all()
	closeLog(t, l)
	all() // into a closed log: dropped
	if c, f, r := strings.Count(console.String(), "\n"), strings.Count(read(t, filepath.Join(dir, "f")), "\n"), len(ringMessages(t, dir)); c != 3 || f != 4 || r != 6 {
		t.Errorf("console %d, file %d, ring %d", c, f, r)
	}
}
