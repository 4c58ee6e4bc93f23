package record

import (
	"errors"
	"fmt"
	"log/slog"
)

// flush writes both spools. A spool that begins to fail says so once, on the
// console; each later failure is only counted.
func (l *Log) flush() error {
	return errors.Join(l.flushOne(l.file), l.flushOne(l.ring))
}

// keep gathers a line for a spool. What a full spool's write may fail with is
// told by flushOne and kept for Lost.
func (l *Log) keep(s *spool, line []byte) {
	if s.full(line) {
		_ = l.flushOne(s)
	}
	s.add(line)
}

func (l *Log) flushOne(s *spool) error {
	if s == nil {
		return nil
	}
	before := s.err
	if err := s.flush(l.confessLost); err != nil {
		if before == nil && l.console != nil {
			l.console.add(l.own(l.opts.Format == FormatJSON,
				fmt.Sprintf("%s cannot be written, records are lost: %v", s.name, err)))
		}
		return fmt.Errorf("write %s: %w", s.name, err)
	}
	return nil
}

// confessLost is the line that a spool writes first when it can write again.
func (l *Log) confessLost(s *spool) []byte {
	return l.own(true, fmt.Sprintf("%d records are missing here: %v", s.lost, s.err))
}

// confessDropped is the line of a console that did not keep up.
func (l *Log) confessDropped(n int) []byte {
	return l.own(l.opts.Format == FormatJSON, fmt.Sprintf("%d lines are missing here: the console did not take them", n))
}

// own renders a warning of the log about itself.
func (l *Log) own(asJSON bool, sentence string) []byte {
	h := &handler{log: l, component: l.opts.Component}
	e := new(encoder)
	r := slog.NewRecord(l.opts.Clock.Now(), slog.LevelWarn, sentence, 0)
	e.encode(h, r)
	if asJSON {
		return e.line
	}
	return e.appendText(nil, h, r, false)
}

// Lost tells how many records file and ring together have lost since Open, and
// why; the error is nil when the last write went well.
func (l *Log) Lost() (records int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.spools() {
		records += s.lostAll
		err = errors.Join(err, s.err)
	}
	return records, err
}

// flushing writes the spools a little after something came into them, and
// sleeps while nothing does.
func (l *Log) flushing() {
	for {
		select {
		case <-l.dirty:
		case <-l.stop:
			return
		}
		select {
		case <-l.opts.Clock.After(flushEvery):
			_ = l.Flush()
		case <-l.stop:
			return
		}
	}
}

// folding tells folds when they are due.
func (l *Log) folding() {
	for {
		l.mu.Lock()
		due, some := l.folds.next()
		l.mu.Unlock()
		if !some {
			select {
			case <-l.folded:
				continue
			case <-l.stop:
				return
			}
		}
		select {
		case <-l.opts.Clock.After(due.Sub(l.opts.Clock.Now())):
			l.tellDue()
		case <-l.stop:
			return
		}
	}
}

func (l *Log) tellDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opts.Clock.Now()
	for d := l.folds.pop(now); d != nil; d = l.folds.pop(now) {
		l.tell(d)
	}
	nudge(l.dirty)
}
