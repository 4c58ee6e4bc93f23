//go:build linux

package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVar) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestOverhead: both ways answer the same rows, and the ratio is told. How large
// it is, is not for a test to judge.
func TestOverhead(t *testing.T) {
	for _, chunk := range []string{"1", "4"} {
		var out, talk bytes.Buffer
		args := []string{"-rows", "16", "-chunk", chunk, "-rounds", "1", "-rate", "2000"}
		if status := run(args, &out, &talk); status != 0 {
			t.Fatalf("%v: status %d\n%s%s", args, status, &out, &talk)
		}
		if !regexp.MustCompile(`(?m)^overhead server=simulated rows=16 .*ratio=[0-9.]+$`).Match(out.Bytes()) {
			t.Errorf("%v printed\n%s", args, &out)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-rows", "0"}, {"more"}, {"-server", "http://127.0.0.1:1"}, {"-server", "x", "-model", "y", "-ollama", "z"},
	} {
		var out, talk bytes.Buffer
		if status := run(args, &out, &talk); status != 1 || talk.Len() == 0 {
			t.Errorf("%v: status %d, said %q", args, status, &talk)
		}
	}
}
