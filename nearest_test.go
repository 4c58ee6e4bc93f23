package candor

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"needs", "retries", "timeout", "whisper", "cpu", "worker-1", "worker-2"}
	for _, c := range []struct{ word, want string }{
		{"need", "needs"},
		{"NEEDS", "needs"},
		{"retires", "retries"}, // neighbours swapped count once
		{"wisper", "whisper"},
		{"cup", "cpu"},
		{"worker1", "worker-1"}, // the first of equals
		{"retry", ""},
		{"time", "timeout"},
		{"cpus", "cpu"},
		{"zebra", ""},
		{"", ""},
	} {
		if got := Nearest(c.word, words); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestNearestOfLongTextsEndsSoon(t *testing.T) {
	long := string(make([]byte, 1<<20))
	if got := Nearest(long, []string{"needs", string(make([]byte, 1<<19)) + "x"}); got != "" {
		t.Errorf("a megabyte is near %q", got)
	}
}
