package record

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	flushEvery  = 100 * time.Millisecond // how long a record may wait in memory
	consoleWait = 2 * time.Second        // how long Sync and Close wait for the console
)

// Log owns the outputs of one process.
type Log struct {
	// immutable
	opts    Options
	console *console      // nil: none
	level   slog.LevelVar // of the console; atomic
	pool    sync.Pool     // of *encoder
	dirty   chan struct{} // something waits in a spool
	folded  chan struct{} // something waits in a fold
	stop    chan struct{}
	done    sync.WaitGroup

	// guarded by mu
	mu     sync.Mutex
	file   *spool // nil: none
	ring   *spool // nil: none
	folds  *folds
	newest time.Time // of the lines in file or on the console
	closed bool
}

// Open opens the outputs that o names. The error says which could not be
// opened. Close it, or the last records stay in memory.
func Open(o Options) (*Log, error) {
	o = o.withDefaults()
	l := &Log{
		opts:   o,
		pool:   sync.Pool{New: func() any { return new(encoder) }},
		dirty:  make(chan struct{}, 1),
		folded: make(chan struct{}, 1),
		stop:   make(chan struct{}),
		folds:  newFolds(o.FoldEvery),
	}
	l.level.Set(o.Level)
	if o.Ring != "" {
		r, err := openRing(o.Ring, o.RingBytes)
		if err != nil {
			return nil, fmt.Errorf("open debug ring: %w", err)
		}
		l.ring = &spool{name: "debug ring " + o.Ring, w: r, max: ringSpool}
	}
	if o.File != "" {
		f, err := openFile(o)
		if err != nil {
			if l.ring != nil {
				_ = l.ring.w.Close()
			}
			return nil, fmt.Errorf("open log file: %w", err)
		}
		l.file = &spool{name: "log file " + o.File, w: f, max: fileSpool}
	}
	if o.Console != nil {
		l.console = newConsole(o.Console, l.confessDropped)
	}
	l.done.Go(l.flushing)
	l.done.Go(l.folding)
	return l, nil
}

// Logger returns the logger that everything in the process is handed.
func (l *Log) Logger() *slog.Logger { return slog.New(l.Handler()) }

// Handler returns the handler below Logger.
func (l *Log) Handler() slog.Handler {
	return &handler{log: l, component: l.opts.Component}
}

// SetLevel changes the console's level, as a reload of the configuration does.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

func (l *Log) toRing(level slog.Level) bool { return l.opts.Ring != "" && level >= slog.LevelDebug }
func (l *Log) toFile(level slog.Level) bool { return l.opts.File != "" && level >= l.opts.FileLevel }
func (l *Log) toConsole(level slog.Level) bool {
	return l.console != nil && level >= l.level.Level()
}

// take gives an encoded record to the outputs that want it.
func (l *Log) take(h *handler, r slog.Record, e *encoder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.toRing(r.Level) {
		l.keep(l.ring, e.line)
	}
	if l.toFile(r.Level) || l.toConsole(r.Level) {
		l.show(h, r, e)
	}
	if r.Level >= slog.LevelWarn {
		_ = l.flush()
		return
	}
	nudge(l.dirty)
}

// show passes a record to console and file by way of its fold, if it has one.
func (l *Log) show(h *handler, r slog.Record, e *encoder) {
	if e.fold != nil {
		show, before := l.folds.offer(h, r, e, l.opts.Clock.Now())
		if before != nil {
			l.tell(before)
		}
		nudge(l.folded)
		if !show {
			return
		}
	}
	l.emit(h, r, e)
}

// tell writes what a fold has held back.
func (l *Log) tell(d *held) {
	e := l.pool.Get().(*encoder)
	defer l.pool.Put(e)
	r := d.summary(l.newest)
	e.encode(d.handler, r)
	l.emit(d.handler, r, e)
}

func (l *Log) emit(h *handler, r slog.Record, e *encoder) {
	if r.Time.After(l.newest) {
		l.newest = r.Time
	}
	if l.toFile(r.Level) {
		l.keep(l.file, e.line)
	}
	if !l.toConsole(r.Level) {
		return
	}
	if l.opts.Format == FormatJSON {
		l.console.add(e.line)
		return
	}
	e.text = e.appendText(e.text[:0], h, r, l.level.Level() <= slog.LevelDebug)
	l.console.add(e.text)
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Flush hands all that was logged so far to the kernel, file and ring: from
// here on it survives kill -9. It does not wait for the console.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	return l.flush()
}

// Sync is Flush, and waits (at most two seconds) until the console has it too.
func (l *Log) Sync() error {
	err := l.Flush()
	if l.console != nil {
		select {
		case <-l.console.drained():
		case <-l.opts.Clock.After(consoleWait):
		}
	}
	return err
}

// Close says what folds still hold back, syncs and closes every output.
// Records after it are dropped. Closing twice is the same as once.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	for _, d := range l.folds.popAll() {
		l.tell(d)
	}
	err := l.flush()
	l.closed = true
	for _, s := range l.spools() {
		err = errors.Join(err, s.w.Close())
	}
	l.mu.Unlock()
	close(l.stop)
	l.done.Wait()
	if l.console != nil {
		l.console.close()
		select {
		case <-l.console.drained():
		case <-l.opts.Clock.After(consoleWait):
		}
	}
	return err
}

func (l *Log) spools() []*spool {
	var s []*spool
	for _, one := range []*spool{l.file, l.ring} {
		if one != nil {
			s = append(s, one)
		}
	}
	return s
}
