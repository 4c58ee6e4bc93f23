//go:build linux || darwin

package worker

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"candor"
	"candor/internal/process"
)

// The table of what a command gets, and the code that gives it, name the same
// variables.
func TestDocumentedVariablesAreThoseSet(t *testing.T) {
	set := []string{process.EnvProgressFile}
	for _, file := range []string{"environ.go", "llm.go"} {
		for _, m := range regexp.MustCompile(`env\["([A-Z_]+)"\]`).FindAllStringSubmatch(read(t, file), -1) {
			set = append(set, m[1])
		}
	}
	var told []string
	_, table, _ := strings.Cut(read(t, "../../docs/worker.md"), "| variable | value |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		cell := strings.Split(row, "|")[1]
		for _, m := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(cell, -1) {
			told = append(told, m[1])
		}
	}
	slices.Sort(set)
	set = slices.DeleteFunc(slices.Compact(set), func(name string) bool { return name == "PATH" }) // told below the table
	slices.Sort(told)
	if !slices.Equal(set, told) {
		t.Errorf("set:  %s\ntold: %s", strings.Join(set, " "), strings.Join(told, " "))
	}
}

func TestATraceIsMadeOfIds(t *testing.T) {
	at := func(batch candor.BatchID, lease int64) []string {
		a := &attempt{Assignment: candor.Assignment{Lease: lease}, spec: &candor.StepSpec{Batch: batch}}
		value := traceparent(a)
		if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(value) {
			t.Errorf("%q", value)
		}
		return strings.Split(value, "-")
	}
	one, again, next, other := at(7, 1), at(7, 1), at(7, 2), at(8, 1)
	if !slices.Equal(one, again) || one[1] != next[1] || one[2] == next[2] || one[1] == other[1] || one[2] == other[2] {
		t.Errorf("%v %v %v %v", one, again, next, other)
	}
}
