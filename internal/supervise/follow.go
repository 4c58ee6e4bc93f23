package supervise

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"time"

	"candor/internal/process"
	"candor/internal/record"
)

// followEvery is how soon a child's line is on the console.
const followEvery = 100 * time.Millisecond

// follow copies what the child prints to its console, whole lines only, until
// the child has ended and all is copied. The child itself never waits for it.
func (d *kid) follow(proc *process.Process) {
	log, err := process.OpenLog(d.LogFile)
	if err != nil {
		d.say(slog.LevelWarn, lineStarted, "What "+d.Name+" prints cannot be shown", slog.Any(record.KeyError, err))
		return
	}
	defer func() { _ = log.Close() }()
	var rest []byte
	buf := make([]byte, 32<<10)
	for {
		ended := false
		select {
		case <-proc.Done():
			ended = true
		default:
		}
		n, err := log.Read(buf)
		rest = d.show(append(rest, buf[:n]...))
		if n > 0 && err == nil {
			continue
		}
		if ended || err != nil && !errors.Is(err, io.EOF) {
			break
		}
		select {
		case <-proc.Done():
		case <-d.k.o.Clock.After(followEvery):
		}
	}
	if len(rest) > 0 {
		d.show(append(rest, '\n'))
	}
}

// show writes the whole lines of b and returns what is left over.
func (d *kid) show(b []byte) []byte {
	end := bytes.LastIndexByte(b, '\n') + 1
	if end > 0 {
		d.k.lines.Lock()
		_, _ = d.Console.Write(b[:end]) // a console that is gone has no reader to tell
		d.k.lines.Unlock()
	}
	return append([]byte(nil), b[end:]...)
}
