package house

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Exception frees one file from a law, with the reason.
type Exception struct{ Path, Why string }

func excepted(exceptions []Exception, path string) bool {
	return slices.ContainsFunc(exceptions, func(e Exception) bool { return e.Path == path })
}

// stale finds the exceptions that nothing needed.
func stale(exceptions []Exception, needed map[string]bool) []string {
	var findings []string
	for _, e := range exceptions {
		if !needed[e.Path] {
			findings = append(findings, e.Path+": keeps the law: take it from the exceptions")
		}
	}
	return findings
}

// Lengths finds Go files longer than the limits.
func Lengths(t *Tree, code, tests int, exceptions []Exception) []string {
	var findings []string
	needed := map[string]bool{}
	for _, f := range t.Files {
		if f.Go == nil {
			continue
		}
		limit := code
		if f.IsTest() {
			limit = tests
		}
		switch {
		case f.Lines <= limit:
		case excepted(exceptions, f.Path):
			needed[f.Path] = true
		default:
			findings = append(findings, fmt.Sprintf("%s: %d lines, at most %d: it holds more than one idea", f.Path, f.Lines, limit))
		}
	}
	return append(findings, stale(exceptions, needed)...)
}

// MachinePaths finds absolute paths that exist on somebody's machine only.
// Each root is a folder name directly under "/".
func MachinePaths(t *Tree, roots []string) []string {
	// Only at the start of a path: "state/work/" is no machine's.
	absolute := regexp.MustCompile("(?m)(?:^|[\\s\"'`(=,:])(/(?:" + strings.Join(roots, "|") + ")/[\\w.-]+)")
	var findings []string
	for _, f := range t.Files {
		if path.Base(f.Path) == "go.sum" {
			continue
		}
		for _, m := range absolute.FindAllSubmatchIndex(f.Text, -1) {
			line := 1 + bytes.Count(f.Text[:m[2]], []byte("\n"))
			findings = append(findings, fmt.Sprintf("%s:%d: %s is a path of one machine", f.Path, line, f.Text[m[2]:m[3]]))
		}
	}
	return findings
}

// Numbering finds gaps, doubles and odd names among the files of a folder that
// are numbered 0001-title.md and so on. A folder that is not there is fine.
func Numbering(t *Tree, dir string) []string {
	named := regexp.MustCompile(`^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md$`)
	var findings []string
	next := 1
	for _, f := range t.Files { // by path, so by number
		if f.dir() != dir || path.Base(f.Path) == "README.md" {
			continue
		}
		m := named.FindStringSubmatch(path.Base(f.Path))
		if m == nil {
			findings = append(findings, f.Path+": is not named NNNN-title.md")
			continue
		}
		if want := fmt.Sprintf("%04d", next); m[1] != want {
			findings = append(findings, fmt.Sprintf("%s: number %s, want %s", f.Path, m[1], want))
		}
		next++
	}
	return findings
}

// Missing finds paths that should be there.
func Missing(t *Tree, paths []string) []string {
	var findings []string
	for _, p := range paths {
		if !t.there[p] {
			findings = append(findings, p+": is missing")
		}
	}
	return findings
}
