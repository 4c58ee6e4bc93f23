//go:build linux || darwin

package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"candor"
)

// install puts a file into a folder of the PATH.
func install(t *testing.T, dir, name string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
		t.Fatal(err)
	}
}

// ages dates a folder's last change back, as time does.
func ages(t *testing.T, dir string) {
	t.Helper()
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir, at, at); err != nil {
		t.Fatal(err)
	}
}

func pathed(dirs ...string) *programs {
	path := ""
	for _, dir := range dirs {
		path += dir + string(filepath.ListSeparator)
	}
	p := newPrograms([]string{"PATH=" + path}, nil)
	p.dirs = p.dirs[:len(p.dirs)-1] // but for candor's own
	return p
}

func (p *programs) names() []string {
	found, _ := p.all()
	return found.Names
}

// What a shell would find counts: programs and links to such, of whatever folder,
// and nothing else that lies there.
func TestEveryProgramOnThePathIsFound(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	install(t, one, "zeta", 0o755)
	install(t, one, "both", 0o755)
	install(t, two, "both", 0o755)
	install(t, two, "data", 0o644)
	install(t, two, "bad\x1bname", 0o755)
	for link, target := range map[string]string{"alpha": filepath.Join(one, "zeta"), "nowhere": "no-such-file", "folder": one} {
		if err := os.Symlink(target, filepath.Join(two, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(two, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := pathed(one, two, "relative", filepath.Join(one, "no-such-folder"))
	if f := p.look(time.Now()); !f.first || f.count != 3 {
		t.Errorf("%+v", f)
	}
	if want := []string{"alpha", "both", "zeta"}; !slices.Equal(p.names(), want) {
		t.Errorf("found %q, want %q", p.names(), want)
	}
}

// A folder is read again when it has changed, or could have without its time
// telling; else not at all.
func TestAChangedFolderIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "old", 0o755)
	install(t, dir, "late", 0o644)
	p := pathed(dir)
	now := time.Now()
	p.look(now)
	install(t, dir, "new", 0o755) // at once: the folder's time may be the same
	f := p.look(now.Add(time.Second))
	if !slices.Equal(f.came, []string{"new"}) || len(f.went) > 0 {
		t.Errorf("%+v", f)
	}
	if err := os.Remove(filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	if f = p.look(now.Add(10 * time.Second)); !slices.Equal(f.went, []string{"old"}) {
		t.Errorf("%+v", f)
	}
	ages(t, dir)
	p.look(now.Add(20 * time.Second))
	if err := os.Chmod(filepath.Join(dir, "late"), 0o755); err != nil {
		t.Fatal(err)
	}
	if f = p.look(now.Add(30 * time.Second)); len(f.came) > 0 {
		t.Errorf("a folder that has not changed was read: %+v", f)
	}
	if f = p.look(now.Add(20*time.Second + lookAnew)); !slices.Equal(f.came, []string{"late"}) {
		t.Errorf("its time does not tell of modes, and it was not read: %+v", f)
	}
	if _, revision := p.all(); revision != 4 {
		t.Errorf("revision %d", revision)
	}
}

func TestAnOwnerMayOfferLess(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "ffmpeg", 0o755)
	install(t, dir, "docker", 0o755)
	p := newPrograms([]string{"PATH=" + dir}, []string{"sox", "ffmpeg", "../docker"})
	p.look(time.Now())
	if found, _ := p.all(); !slices.Equal(found.Names, []string{"ffmpeg"}) || !found.Chosen {
		t.Errorf("%+v", found)
	}
}

// On Windows the extension makes the program, and plans leave it out.
func TestExtensionsMakePrograms(t *testing.T) {
	exts := extensions(".COM;.EXE;;.Bat")
	for file, want := range map[string][]string{
		"FFmpeg.exe": {"ffmpeg.exe", "ffmpeg"}, "run.BAT": {"run.bat", "run"}, "notes.txt": nil, "ffmpeg": nil, ".exe": nil, "a.b.com": {"a.b.com", "a.b"},
	} {
		if got := commandsOf(file, exts); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	if got := extensions(""); !slices.Contains(got, ".exe") {
		t.Errorf("no PATHEXT: %q", got)
	}
}

// The brain hears of all programs at registration, of no more than that again
// until they change, and at once when it asks.
func TestTheBrainIsToldOfPrograms(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "sox", 0o755)
	b := newBrain()
	f := start(t, b, func(o *Options) { o.Tools, o.Environ = nil, []string{"PATH=" + dir} })
	told := func() (n int) {
		for _, r := range b.beats {
			if r.Programs != nil && r.Programs.Has("sox") {
				n++
			}
		}
		return n
	}
	b.until(t, "three heartbeats", func() bool { return len(b.beats) >= 3 })
	b.set(func() {
		if p := b.registers[0].Programs; p == nil || !p.Has("sox") || p.Chosen || told() > 0 {
			t.Errorf("registered with %+v, told %d times more", p, told())
		}
		b.orders.Tell = true
	})
	b.until(t, "the programs again", func() bool { return told() > 0 })
	b.set(func() { b.orders.Tell = false })
	install(t, dir, "ffmpeg", 0o755)
	f.log.wait(t, "INFO Programs on the PATH: ffmpeg came")
	b.until(t, "what was installed", func() bool {
		return slices.ContainsFunc(b.beats, func(r candor.HeartbeatRequest) bool { return r.Programs != nil && r.Programs.Has("ffmpeg") })
	})
}
