package sched

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// The trials of a worker are those that looking through all of them would leave.
func TestTrialsAreAsIfAllWereLookedThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got trials
		var want []trial
		now := epoch
		for range rapid.IntRange(1, 60).Draw(t, "failures") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "pass")) * time.Second)
			id, since := candor.TaskID(rapid.IntRange(1, 8).Draw(t, "task")), now.Add(-10*time.Second)
			got.note(id, now, since)
			want = slices.DeleteFunc(want, func(o trial) bool { return o.task == id || o.at.Before(since) })
			want = append(want, trial{id, now})
			if !slices.Equal(got.list(), want) || got.len() != len(want) {
				t.Fatalf("%d: %v, want %v", got.len(), got.list(), want)
			}
		}
	})
}

// BenchmarkTrials notes a failure among many of the last ten minutes.
func BenchmarkTrials(b *testing.B) {
	var l trials
	for i := 0; b.Loop(); i++ {
		now := epoch.Add(time.Duration(i) * 15 * time.Millisecond)
		l.note(candor.TaskID(i+1), now, now.Add(-10*time.Minute))
	}
}
