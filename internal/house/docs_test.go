package house

import (
	"strings"
	"testing"
)

func all(string) bool { return true }

func TestDeadPaths(t *testing.T) {
	text := strings.Join([]string{
		"[here](b.md) [there](c.md) [web](https://example.org/x) [self](#part) [part](b.md#part) [up](../README.md \"title\")",
		"`cmd/real` `./cmd/real/` `cmd/gone` `cmd/real/main.go:12` `cmd/*.go` `cmd/...` `other/path` `CHANGES.md` `notes.md`",
		"`[x](gone.md)` cmd/not-quoted",
		"```console",
		"$ go run ./cmd/gone plan.yaml",
		"cmd/answer is not typed",
		"```",
		"~~~sh",
		"# cmd/comment",
		"go run ./cmd/real",
		"```",
		"cmd/lost",
		"~~~",
		"```yaml",
		"run: cmd/in-yaml",
		"```",
	}, "\n")
	check(t, DeadPaths(tree(t, "docs/a.md", text, "docs/b.md", "", "README.md", "", "cmd/real/main.go", "package main\n"), all, []string{"cmd"}),
		"docs/a.md:1: links to c.md", "docs/a.md:2: names cmd/gone", "docs/a.md:2: names CHANGES.md",
		"docs/a.md:5: names ./cmd/gone", "docs/a.md:12: names cmd/lost")
}

func TestDeadPathsReadsWhatWasPicked(t *testing.T) {
	tr := tree(t, "a.md", "`cmd/gone`", "b.md", "`cmd/gone`", "testdata/c.md", "`cmd/gone`")
	check(t, DeadPaths(tr, func(p string) bool { return p != "b.md" }, []string{"cmd"}), "a.md:1")
}

func TestDeadCommands(t *testing.T) {
	known := []string{"run", "worker", "worker drain", "why"}
	for _, c := range []struct{ line, wrong string }{
		{"candor run plan.yaml", ""},
		{"candor rum plan.yaml", "candor rum"},
		{"candor worker drain w-1", ""},
		{"candor worker rain w-1", "candor worker rain"},
		{"candor why worker-2", ""},
		{"candor why it", ""},
		{"candor --help", ""},
		{"candor", ""},
		{"A=1 candor rum", "candor rum"},
		{"go run ./cmd/candor rum", "candor rum"},
		{"cd x && ./candor run p | candor rum", "candor rum"},
		{"candor TASK", ""},
		{"candor: not a call", ""},
		{"make candor rum", ""},
	} {
		var want []string
		if c.wrong != "" {
			want = []string{c.wrong}
		}
		check(t, DeadCommands(tree(t, "a.md", "`"+c.line+"`"), all, known), want...)
		check(t, DeadCommands(tree(t, "a.md", "```sh\n$ "+c.line+"\n```"), all, known), want...)
	}
}
