package sqlite

import (
	"encoding/json"
	"fmt"
	"hash/fnv"

	"github.com/klauspost/compress/s2"

	"candor"
)

// eventsPerBlock bounds a row of events: one is unpacked to read one event.
const eventsPerBlock = 1024

// storedEvent is an event in a block. Numbers instead of texts: it is written
// twice for every task.
type storedEvent struct {
	Seq     int64             `json:"q"`
	At      int64             `json:"a"`
	Level   candor.Level      `json:"l"`
	Code    candor.EventCode  `json:"c"`
	Text    string            `json:"t"`
	Batch   int64             `json:"b,omitempty"`
	Task    int64             `json:"i,omitempty"`
	Attempt int               `json:"n,omitempty"`
	Lease   int64             `json:"e,omitempty"`
	Worker  string            `json:"w,omitempty"`
	Class   candor.Class      `json:"s,omitempty"`
	Model   string            `json:"m,omitempty"`
	Reason  candor.ReasonCode `json:"r,omitempty"`
	Took    int64             `json:"d,omitempty"`
}

// loudness orders the levels.
func loudness(l candor.Level) int64 {
	switch l {
	case candor.LevelInfo:
		return 1
	case candor.LevelWarn:
		return 2
	case candor.LevelError:
		return 3
	}
	return 0
}

// workerBit is a worker's place in the mask of a block.
func workerBit(name string) int64 {
	if name == "" {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return 1 << (h.Sum32() % 63)
}

// bounds is the least and the greatest of the numbers it was shown, 0 aside.
type bounds struct{ low, high int64 }

func (b *bounds) include(n int64) {
	if n == 0 {
		return
	}
	if b.low == 0 || n < b.low {
		b.low = n
	}
	b.high = max(b.high, n)
}

// insertEvents writes the events of a commit, in one row or a few.
func (w *writer) insertEvents(events []candor.Event) error {
	for len(events) > 0 {
		n := min(len(events), eventsPerBlock)
		if err := w.insertBlock(events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

func (w *writer) insertBlock(events []candor.Event) error {
	var batches, tasks bounds
	var at, loudest, workers int64
	list := make([]storedEvent, len(events))
	for i := range events {
		e := &events[i]
		batches.include(int64(e.Batch))
		tasks.include(int64(e.Task))
		at, loudest, workers = max(at, micro(e.At)), max(loudest, loudness(e.Level)), workers|workerBit(e.Worker)
		list[i] = storedEvent{
			Seq: e.Seq, At: micro(e.At), Level: e.Level, Code: e.Code, Text: e.Text, Batch: int64(e.Batch), Task: int64(e.Task),
			Attempt: e.Attempt, Lease: e.Lease, Worker: e.Worker, Class: e.Class, Model: e.Model, Reason: e.Reason, Took: int64(e.Took),
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	_, err = w.exec(`INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, events[0].Seq, events[len(events)-1].Seq, at,
		int64(len(events)), loudest, batches.low, batches.high, tasks.low, tasks.high, workers, s2.Encode(nil, text))
	return err
}

// readBlock unpacks a row of events.
func readBlock(data []byte) ([]candor.Event, error) {
	text, err := s2.Decode(nil, data)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	var list []storedEvent
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	events := make([]candor.Event, len(list))
	for i := range list {
		e := &list[i]
		events[i] = candor.Event{
			Seq: e.Seq, At: fromMicro(e.At), Level: e.Level, Code: e.Code, Text: e.Text, Batch: candor.BatchID(e.Batch), Task: candor.TaskID(e.Task),
			Attempt: e.Attempt, Lease: e.Lease, Worker: e.Worker, Class: e.Class, Model: e.Model, Reason: e.Reason, Took: candor.Duration(e.Took),
		}
	}
	return events, nil
}
