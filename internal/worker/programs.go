package worker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"candor"
	"candor/internal/record"
)

const (
	// lookEvery is how often the PATH is looked through for what came and went. A
	// folder that has not changed costs one call.
	lookEvery = 10 * time.Second
	// lookAnew is after how long a folder is read whatever its time says: that does
	// not tell of a program that was made executable, or of where a link leads now.
	lookAnew = 10 * time.Minute
	// lookPatience is how long the brain is not told of a worker that still looks. A
	// folder may be on a server that does not answer.
	lookPatience = 2 * time.Second
	// settled is how old a folder's last change must be for its time to tell of the
	// next one: clocks of file systems are coarse.
	settled = 2 * time.Second
	// namedPrograms is how many that came or went are named in the log.
	namedPrograms = 8
)

// programs is what the PATH of attempts has.
type programs struct {
	// immutable
	dirs    []string
	exts    []string      // what makes a program of a file, in lower case; nil: its mode does
	chosen  []string      // all that the owner offers; nil: whatever is there
	looked  chan struct{} // closed after the first look
	changed chan struct{} // has a value after one that found changes

	at atomic.Pointer[string] // the folder that is being looked at

	mu sync.Mutex
	// guarded by mu
	found    *candor.Programs // nil before the first look
	revision int64            // grows when found changes
	told     int64            // the one that the brain has

	seen map[string]folder // by whoever looks; one does at a time
}

// folder is what was found in one folder of the PATH.
type folder struct {
	at       time.Time // when it was read
	modified time.Time // as it said then
	names    []string
}

func newPrograms(environ, chosen []string) *programs {
	p := &programs{chosen: chosen, looked: make(chan struct{}), changed: make(chan struct{}, 1), seen: map[string]folder{}}
	for _, dir := range filepath.SplitList(pathOf(lookup(environ, "PATH"))) {
		if filepath.IsAbs(dir) && !slices.Contains(p.dirs, dir) { // what a relative one means, each attempt's folder says
			p.dirs = append(p.dirs, dir)
		}
	}
	if runtime.GOOS == "windows" {
		p.exts = extensions(lookup(environ, "PATHEXT"))
	}
	return p
}

// extensions splits a PATHEXT; an empty one stands for what Windows takes then.
func extensions(pathext string) []string {
	return strings.FieldsFunc(strings.ToLower(cmp.Or(pathext, ".com;.exe;.bat;.cmd")), func(r rune) bool { return r == ';' })
}

// all is what there is, nil before the first look.
func (p *programs) all() (*candor.Programs, int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found, p.revision
}

// news is what there is if the brain has not heard of it.
func (p *programs) news() (*candor.Programs, int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.revision == p.told {
		return nil, p.revision
	}
	return p.found, p.revision
}

// heard notes what the brain has taken in. 0: it knows nothing any more.
func (p *programs) heard(revision int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = revision
}

// findings is what a look has found, beside what was known.
type findings struct {
	first      bool
	count      int
	came, went []string
}

// look goes through the PATH.
func (p *programs) look(now time.Time) findings {
	all := map[string]bool{}
	for _, dir := range p.dirs {
		p.at.Store(&dir)
		for _, name := range p.list(dir, now) {
			all[name] = true
		}
	}
	next := p.offered(all)
	f := findings{count: len(next.Names)}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch before := p.found; {
	case before == nil:
		f.first = true
		close(p.looked)
	case before.Equal(next):
		return f
	default:
		f.came, f.went = before.Lacks(next.Names), next.Lacks(before.Names)
	}
	p.found = next
	p.revision++
	select {
	case p.changed <- struct{}{}:
	default:
	}
	return f
}

// offered is what the brain is told of all that is there.
func (p *programs) offered(all map[string]bool) *candor.Programs {
	there := &candor.Programs{Names: slices.Sorted(maps.Keys(all)), Fold: p.exts != nil}
	there.Names = there.Names[:min(len(there.Names), candor.MaxPrograms)]
	if p.chosen == nil {
		return there
	}
	offers := &candor.Programs{Fold: there.Fold, Chosen: true}
	for _, name := range p.chosen {
		if there.Fold {
			name = strings.ToLower(name)
		}
		if there.Has(name) {
			offers.Names = append(offers.Names, name)
		}
	}
	slices.Sort(offers.Names)
	offers.Names = slices.Compact(offers.Names)
	return offers
}

// list is the commands of one folder, read if it may have changed. One that
// cannot be read has none: no shell finds any there.
func (p *programs) list(dir string, now time.Time) []string {
	info, err := os.Stat(dir)
	if err != nil {
		delete(p.seen, dir)
		return nil
	}
	last, known := p.seen[dir]
	if known && last.modified.Equal(info.ModTime()) && last.at.Sub(last.modified) > settled && now.Sub(last.at) < lookAnew {
		return last.names
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		delete(p.seen, dir)
		return nil
	}
	read := folder{at: now, modified: info.ModTime()}
	for _, e := range entries {
		names := commandsOf(e.Name(), p.exts)
		if len(names) == 0 || e.IsDir() {
			continue
		}
		if _, err := exec.LookPath(filepath.Join(dir, e.Name())); err == nil {
			read.names = append(read.names, names...)
		}
	}
	p.seen[dir] = read
	return read.names
}

// commandsOf is by what names a file could be called, if it is a program. Where
// extensions make one, it is found without, and in any case.
func commandsOf(file string, exts []string) []string {
	if !candor.ProgramName(file) {
		return nil
	}
	if exts == nil {
		return []string{file}
	}
	file = strings.ToLower(file)
	ext := filepath.Ext(file)
	if !slices.Contains(exts, ext) || file == ext {
		return nil
	}
	return []string{file, strings.TrimSuffix(file, ext)}
}

// watchPrograms looks through the PATH again and again. The look itself may hang
// in the kernel, where nothing ends it: then it is named, and left behind.
func (w *worker) watchPrograms(ctx context.Context) {
	for ctx.Err() == nil {
		done := make(chan struct{})
		go w.guard("PATH", func() {
			defer close(done)
			begun := w.o.Clock.Now()
			w.sayPrograms(w.programs.look(begun), w.o.Clock.Now().Sub(begun))
		})
		slow := w.o.Clock.After(lookPatience)
		for waits := true; waits; {
			select {
			case <-done:
				waits = false
			case <-slow:
				w.sayHung()
			case <-ctx.Done():
				return
			}
		}
		_ = w.o.Clock.Sleep(ctx, lookEvery) // it ends early only with ctx
	}
}

func (w *worker) sayHung() {
	if dir := w.programs.at.Load(); dir != nil {
		w.say(slog.LevelWarn, linePrograms, fmt.Sprintf("Looking for programs takes longer than %s: %s, which is on the PATH, does not answer",
			candor.ShortDuration(lookPatience), *dir))
	}
}

// sayPrograms tells what a look has found.
func (w *worker) sayPrograms(f findings, took time.Duration) {
	switch {
	case f.first:
		w.say(slog.LevelDebug, linePrograms, fmt.Sprintf("Found %s in %s of the PATH within %s", plural(f.count, "program", "programs"),
			plural(len(w.programs.dirs), "folder", "folders"), candor.ShortDuration(took)), slog.Int(record.KeyCount, f.count))
	case len(f.came)+len(f.went) > 0:
		w.say(slog.LevelInfo, linePrograms, "Programs on the PATH: "+sayNames(f.came, f.went), slog.Int(record.KeyCount, f.count))
	}
}

// sayNames words what came and went: sox came; ffmpeg, ffprobe went.
func sayNames(came, went []string) string {
	var parts []string
	say := func(names []string, verb string) {
		if len(names) == 0 {
			return
		}
		text := strings.Join(names[:min(len(names), namedPrograms)], ", ")
		if more := len(names) - namedPrograms; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, text+" "+verb)
	}
	say(came, "came")
	say(went, "went")
	return strings.Join(parts, "; ")
}
