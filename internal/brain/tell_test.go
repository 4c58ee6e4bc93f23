package brain_test

import (
	"maps"
	"testing"

	"candor/internal/record"
)

// TestTaskLinesCarryTheirNames: one grep for a plan or a task by the name that
// people know finds the brain's lines, as it finds the workers'.
func TestTaskLinesCarryTheirNames(t *testing.T) {
	r := start(t)
	batch := r.submit(2)
	session := r.join("worker-1", 2)
	r.work("worker-1", session, 2)
	r.close()
	want := map[string]int{"task.claimed": 2, "task.complete": 2, "batch.submitted": 1, "batch.complete": 1}
	got := map[string]int{}
	for _, a := range r.log.attrs {
		code := a[record.KeyCode]
		if want[code] == 0 {
			continue
		}
		if a[record.KeyPlan] != "plan" || a[record.KeyBatch] != batch.Batch.String() {
			t.Errorf("%s: %v", code, a)
		}
		task := a[record.KeyTask] != ""
		if task && (a[record.KeyClass] != "cpu" || a[record.KeyName] != "step[0]" && a[record.KeyName] != "step[1]") || !task && a[record.KeyName] != "" {
			t.Errorf("%s: %v", code, a)
		}
		got[code]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
}
