package cli

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"candor"
)

// lineEvery is how often, at most, a line of progress is written where there is
// no terminal.
const lineEvery = 5 * time.Second

// display shows how far a batch is, on stderr: a bar for each step on a
// terminal, a line for each change elsewhere, nothing with --quiet.
type display struct {
	update func(candor.Batch)
	stop   func() // nothing is written after it
}

func (a *app) progress() display {
	if a.quiet {
		return display{update: func(candor.Batch) {}, stop: func() {}}
	}
	if width, _ := terminal(a.Err); width > 0 {
		return a.bars()
	}
	return a.changedLines()
}

func (a *app) bars() display {
	p := mpb.New(mpb.WithOutput(a.Err), mpb.WithWidth(48))
	bars := map[string]*mpb.Bar{}
	failed := map[string]*atomic.Int64{}
	s := a.style(a.Err)
	update := func(b candor.Batch) {
		for _, step := range b.Steps {
			bar, ok := bars[step.Name]
			if !ok {
				n := new(atomic.Int64)
				bar = p.AddBar(0,
					mpb.PrependDecorators(decor.Name(clean(step.Name), decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d", decor.WCSyncSpace)),
					mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return failedMark(s, n) })),
				)
				bars[step.Name], failed[step.Name] = bar, n
			}
			failed[step.Name].Store(int64(step.Counts[candor.TaskFailed]))
			bar.SetTotal(int64(step.Total), false)
			bar.SetCurrent(int64(final(step.Counts)))
		}
	}
	stop := func() {
		for _, bar := range bars {
			bar.Abort(false)
		}
		p.Wait()
	}
	return display{update: update, stop: stop}
}

func failedMark(s style, n *atomic.Int64) string {
	if n.Load() == 0 {
		return ""
	}
	return s.red(fmt.Sprintf("%d failed", n.Load()))
}

// final counts the tasks that have ended, whichever way.
func final(counts map[candor.TaskState]int) int {
	return counts[candor.TaskComplete] + counts[candor.TaskFailed] + counts[candor.TaskCancelled]
}

func (a *app) changedLines() display {
	lines := &slowLines{a: a}
	return display{update: func(b candor.Batch) { lines.say(progressLine(b)) }, stop: lines.stop}
}

// slowLines tells how something goes on, on stderr: each change, but a line at
// most every lineEvery.
type slowLines struct {
	a          *app
	last, next string
	at         time.Time
}

func (l *slowLines) say(line string) {
	l.next = line
	if l.a.clk.Now().Sub(l.at) >= lineEvery {
		l.stop()
	}
}

// stop writes what has not been told yet.
func (l *slowLines) stop() {
	if l.next != l.last && l.next != "" {
		l.a.talk("%s", l.next)
		l.last, l.at = l.next, l.a.clk.Now()
	}
}

// progressLine is a batch in one line: library: passages 12/40, topics 3/40 (1 failed).
func progressLine(b candor.Batch) string {
	var parts []string
	for _, s := range b.Steps {
		text := fmt.Sprintf("%s %d/%d", s.Name, final(s.Counts), s.Total)
		if !s.Expanded {
			text = s.Name + " -"
		}
		if n := s.Counts[candor.TaskFailed]; n > 0 {
			text += fmt.Sprintf(" (%d failed)", n)
		}
		parts = append(parts, text)
	}
	return b.Name + ": " + strings.Join(parts, ", ")
}
