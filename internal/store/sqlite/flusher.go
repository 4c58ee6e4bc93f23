package sqlite

import (
	"context"
	"time"

	"candor/internal/clock"
)

const (
	// flushRows is after how many written tasks the log is worth moving.
	flushRows = 20_000
	// flushPause is how long a log may lie when less than that is written.
	flushPause = 2 * time.Second
)

// flusher moves the write-ahead log into the database beside the commits, on a
// connection of its own, so that no commit pays for it. Passive checkpoints
// wait for nobody and keep nobody waiting. What they cannot move while commits
// keep coming is little; the writer moves it itself when the log has grown to
// its limit (wal_autocheckpoint), and begins the log anew.
type flusher struct {
	w     *writer
	nudge chan int // rows written
	ended chan struct{}
}

func startFlusher(ctx context.Context, file string, c clock.Clock) (*flusher, error) {
	w, err := openWriter(ctx, file)
	if err != nil {
		return nil, err
	}
	f := &flusher{w: w, nudge: make(chan int, 1), ended: make(chan struct{})}
	go f.loop(c)
	return f, nil
}

// written tells that rows were committed. Never waits: the flusher may be at work.
func (f *flusher) written(rows int) {
	select {
	case f.nudge <- rows + 1:
	case n := <-f.nudge: // only one sender: the room is ours now
		f.nudge <- n + rows + 1
	}
}

func (f *flusher) loop(c clock.Clock) {
	defer close(f.ended)
	rows := 0
	var pause <-chan time.Time
	for {
		select {
		case n, ok := <-f.nudge:
			if !ok {
				return
			}
			rows += n
			if pause == nil {
				pause = c.After(flushPause)
			}
			if rows < flushRows {
				continue
			}
		case <-pause:
		}
		rows, pause = 0, nil
		// What fails here fails no commit: the log stays, and the writer will
		// meet the same trouble where it can be told.
		_, _ = f.w.exec(`PRAGMA wal_checkpoint(PASSIVE)`)
	}
}

func (f *flusher) stop() error {
	close(f.nudge)
	<-f.ended
	return f.w.close()
}
