package library_test

import "testing"

// Only a file system that takes any bytes for a name can hold such a file.
func TestScanLeavesOutWhatJSONCannotHold(t *testing.T) {
	l := newLibrary(t, map[string]string{"good.md": "", "bad\xff.md": ""})
	if got := l.scan(); len(got) != 1 || got[0].Name != "good.md" {
		t.Errorf("%+v", got)
	}
}
