package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"candor"
	"candor/internal/sched"
)

// micro is an instant as stored: microseconds since 1970, 0 for none.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// jsonText is v as stored in a column that must hold JSON.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write %T as JSON: %w", v, err)
	}
	return string(b), nil
}

// optional is jsonText of something that may be missing: NULL then.
func optional[T any](v *T) (any, error) {
	if v == nil {
		return nil, nil
	}
	return jsonText(v)
}

// extra is what few tasks have, together in one column that is NULL for the rest.
type extra struct {
	NotBefore int64             `json:"not_before,omitempty"`
	Reason    *candor.Reason    `json:"reason,omitempty"`
	Last      *candor.Attempt   `json:"last,omitempty"`
	Avoid     []string          `json:"avoid,omitempty"`
	Downed    []string          `json:"downed,omitempty"`
	Aborting  candor.ReasonCode `json:"aborting,omitempty"`
	AbortText string            `json:"abort_text,omitempty"` // earlier versions did not keep it, nor when
	AbortAt   int64             `json:"abort_at,omitempty"`
}

// workerInfo is a worker's info column: what the worker says of itself, and beside
// it what few workers have. An earlier version reads past that.
type workerInfo struct {
	candor.WorkerInfo
	Drain *candor.Pause `json:"drain,omitempty"`
}

// plain tells whether a task has nothing extra.
func plain(r *sched.TaskRecord) bool {
	return r.Reason == nil && r.Last == nil && len(r.Avoid) == 0 && len(r.Downed) == 0 && r.Aborting == "" && r.NotBefore.IsZero() && r.AbortText == "" && r.AbortAt.IsZero()
}

// extraText is a task's extra column; nil if it has nothing extra.
func extraText(r *sched.TaskRecord) (any, error) {
	if plain(r) {
		return nil, nil
	}
	return jsonText(extra{
		NotBefore: micro(r.NotBefore), Reason: r.Reason, Last: r.Last,
		Avoid: r.Avoid, Downed: r.Downed, Aborting: r.Aborting, AbortText: r.AbortText, AbortAt: micro(r.AbortAt),
	})
}

// readExtra fills a record from its extra column.
func readExtra(r *sched.TaskRecord, text string) error {
	var e extra
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return fmt.Errorf("read task %s: %w", r.ID, err)
	}
	r.NotBefore, r.Reason, r.Last = fromMicro(e.NotBefore), e.Reason, e.Last
	r.Avoid, r.Downed = e.Avoid, e.Downed
	r.Aborting, r.AbortText, r.AbortAt = e.Aborting, e.AbortText, fromMicro(e.AbortAt)
	return nil
}

// stateIndex is a state's place in candor.TaskStates and among a step's counts.
func stateIndex(s candor.TaskState) int {
	switch s {
	case candor.TaskBlocked:
		return 0
	case candor.TaskQueued:
		return 1
	case candor.TaskProcessing:
		return 2
	case candor.TaskComplete:
		return 3
	case candor.TaskFailed:
		return 4
	case candor.TaskCancelled:
		return 5
	}
	return -1
}

// taskState is a state read from the store, without a copy of its name for each task.
func taskState(name string) candor.TaskState {
	for _, s := range [...]candor.TaskState{
		candor.TaskBlocked, candor.TaskQueued, candor.TaskProcessing,
		candor.TaskComplete, candor.TaskFailed, candor.TaskCancelled,
	} {
		if string(s) == name {
			return s
		}
	}
	return candor.TaskState(name)
}

// countMap is counts by state, without those that are zero.
func countMap(counts [6]int) map[candor.TaskState]int {
	m := map[candor.TaskState]int{}
	for i, s := range candor.TaskStates() {
		if counts[i] > 0 {
			m[s] = counts[i]
		}
	}
	return m
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
