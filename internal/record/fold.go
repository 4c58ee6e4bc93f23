package record

import (
	"container/list"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// maxFolds bounds the repeats in waiting; the one due next gives way.
const maxFolds = 10_000

// tellLate is how much later than its last repeat a fold must be told for its
// line to say so.
const tellLate = time.Second

// foldMark is the value behind keyFold.
type foldMark struct {
	key     string
	content string
	given   bool // content was chosen by the caller, else it is the record itself
}

// Fold marks a record as a repeat in waiting: among records with the same
// component, code and key, one whose sentence and attributes equal the previous
// one's is held back and later said once, "(same for 34s, 7 times)". A changed
// one is shown at once.
func Fold(key string) slog.Attr {
	return slog.Any(keyFold, &foldMark{key: key})
}

// FoldOn is Fold for sentences with running numbers ("idle: 34s"): two records
// are the same when content is, and the summary carries the latest sentence.
func FoldOn(key, content string) slog.Attr {
	return slog.Any(keyFold, &foldMark{key: key, content: content, given: true})
}

type foldKey struct{ component, code, key string }

// held is one fold: what was shown, and what has repeated it since.
type held struct {
	key     foldKey
	content string
	since   time.Time // of the first record with this content
	count   int       // of such records, the first included
	unsaid  int       // of them, how many no line has told yet
	last    slog.Record
	handler *handler
	due     time.Time // when unsaid ones are told, or an idle fold forgotten
}

// folds holds repeats back. Every fold waits equally long, so the queue in
// order of arming is also the queue in order of due times.
type folds struct {
	every time.Duration
	byKey map[foldKey]*list.Element
	queue *list.List // of *held
}

func newFolds(every time.Duration) *folds {
	return &folds{every: every, byKey: map[foldKey]*list.Element{}, queue: list.New()}
}

// offer takes a marked record. It says whether to show it, and which fold is to
// be told before it (nil: none).
func (f *folds) offer(h *handler, r slog.Record, e *encoder, now time.Time) (show bool, before *held) {
	key := foldKey{e.component, e.code, e.fold.key}
	content := e.fold.content
	if !e.fold.given {
		content = string(e.line[lineTime:])
	}
	el, known := f.byKey[key]
	if known {
		if d := el.Value.(*held); d.content == content {
			d.count++
			d.unsaid++
			d.last, d.handler = r.Clone(), h
			return false, nil
		}
		before = f.drop(el)
	} else if f.queue.Len() >= maxFolds {
		before = f.drop(f.queue.Front())
	}
	f.byKey[key] = f.queue.PushBack(&held{
		key: key, content: content, since: r.Time, count: 1, due: now.Add(f.every),
	})
	return true, before
}

// drop forgets a fold and returns it if something of it is untold.
func (f *folds) drop(el *list.Element) *held {
	d := f.queue.Remove(el).(*held)
	delete(f.byKey, d.key)
	if d.unsaid == 0 {
		return nil
	}
	return d
}

// next tells when the earliest fold is due; false when there is none.
func (f *folds) next() (time.Time, bool) {
	if f.queue.Len() == 0 {
		return time.Time{}, false
	}
	return f.queue.Front().Value.(*held).due, true
}

// pop returns the next fold to be told at now, nil when there is none. A fold
// that nothing has repeated for its whole time is forgotten on the way.
func (f *folds) pop(now time.Time) *held {
	for {
		el := f.queue.Front()
		if el == nil || el.Value.(*held).due.After(now) {
			return nil
		}
		d := el.Value.(*held)
		if d.unsaid == 0 {
			f.drop(el)
			continue
		}
		d.due = now.Add(f.every)
		f.queue.MoveToBack(el)
		return d
	}
}

// popAll returns all folds with something untold, at the end of the log, in the
// order of their last repeats.
func (f *folds) popAll() []*held {
	var all []*held
	for f.queue.Len() > 0 {
		if d := f.drop(f.queue.Front()); d != nil {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b *held) int { return a.last.Time.Compare(b.last.Time) })
	return all
}

// summary is the record that tells d, and marks it told. It carries the time of
// the last repeat, or of the newest line told before it: the lines of a log are
// in the order of their times. What lies between is said.
func (d *held) summary(newest time.Time) slog.Record {
	span, at, ago := d.last.Time.Sub(d.since), d.last.Time, ""
	if late := newest.Sub(at); late > 0 {
		at = newest
		if late >= tellLate {
			ago = fmt.Sprintf(", last %s ago", short(late))
		}
	}
	r := slog.NewRecord(at, d.last.Level,
		fmt.Sprintf("%s (same for %s, %d times%s)", d.last.Message, short(span), d.count, ago), d.last.PC)
	d.last.Attrs(func(a slog.Attr) bool {
		if a.Key != keyFold {
			r.AddAttrs(a)
		}
		return true
	})
	r.AddAttrs(slog.Int(KeyRepeats, d.count), slog.Int64(KeyRepeatMS, span.Milliseconds()))
	d.unsaid = 0
	return r
}

// short is d as people write it: 34s, 5m, 1h2m3s; milliseconds below a second.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
