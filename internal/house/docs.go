package house

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// doc is one Markdown file, taken apart as far as the laws need it.
type doc struct {
	path     string
	links    []mention // targets of [text](target)
	spans    []mention // `inline code`
	commands []mention // command lines of sh and console blocks
}

// mention is a piece of a document and where it stands.
type mention struct {
	text string
	line int
}

func (d doc) finding(m mention, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", d.path, m.line, fmt.Sprintf(format, args...))
}

// docs takes the Markdown files that pick chooses apart.
func (t *Tree) docs(pick func(path string) bool) []doc {
	var docs []doc
	for _, f := range t.Files {
		if strings.HasSuffix(f.Path, ".md") && !isData(f.Path) && pick(f.Path) {
			docs = append(docs, parseDoc(f))
		}
	}
	return docs
}

func parseDoc(f File) doc {
	link := regexp.MustCompile(`\]\(([^)\s]+)[^)]*\)`)
	span := regexp.MustCompile("`([^`]+)`")
	d := doc{path: f.Path}
	fence, language := "", ""
	for i, line := range strings.Split(string(f.Text), "\n") {
		trimmed := strings.TrimSpace(line)
		if mark := fenceOf(trimmed); mark != "" && (fence == "" || fence == mark) {
			if fence == "" {
				fence, language = mark, strings.TrimPrefix(trimmed, mark)
			} else {
				fence = ""
			}
			continue
		}
		if fence != "" {
			if command, ok := commandLine(language, trimmed); ok {
				d.commands = append(d.commands, mention{command, i + 1})
			}
			continue
		}
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			d.spans = append(d.spans, mention{m[1], i + 1})
		}
		for _, m := range link.FindAllStringSubmatch(span.ReplaceAllString(line, "code"), -1) {
			d.links = append(d.links, mention{m[1], i + 1})
		}
	}
	return d
}

func fenceOf(line string) string {
	for _, mark := range []string{"```", "~~~"} {
		if strings.HasPrefix(line, mark) {
			return mark
		}
	}
	return ""
}

// commandLine tells whether a line of a code block is something to type. In a
// console block only the lines after a prompt are; the others are answers.
func commandLine(language, line string) (string, bool) {
	switch language {
	case "console", "shell-session":
		return strings.CutPrefix(line, "$ ")
	case "sh", "bash", "shell":
		return strings.TrimPrefix(line, "$ "), line != "" && !strings.HasPrefix(line, "#")
	}
	return "", false
}

// DeadPaths finds links and paths in documents that lead nowhere: relative
// links, and words of inline code and of command lines that begin with a
// folder of ours.
func DeadPaths(t *Tree, pick func(path string) bool, folders []string) []string {
	var findings []string
	for _, d := range t.docs(pick) {
		for _, m := range d.links {
			if target, local := localTarget(m.text); local && !t.there[path.Join(path.Dir(d.path), target)] {
				findings = append(findings, d.finding(m, "links to %s, which is not there", m.text))
			}
		}
		for _, m := range slices.Concat(d.spans, d.commands) {
			for _, word := range strings.Fields(m.text) {
				if p, ours := repositoryPath(word, folders); ours && !t.there[p] && !t.there[path.Join(path.Dir(d.path), p)] {
					findings = append(findings, d.finding(m, "names %s, which is not there", word))
				}
			}
		}
	}
	return findings
}

func localTarget(link string) (string, bool) {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "#") || strings.HasPrefix(link, "mailto:") {
		return "", false
	}
	target, _, _ := strings.Cut(link, "#")
	return target, true
}

// repositoryPath tells whether a word names a path of the repository: one that
// begins with a known folder, or a Markdown file in capitals at the root.
// Patterns and placeholders are not paths.
func repositoryPath(word string, folders []string) (string, bool) {
	word = strings.TrimPrefix(strings.Trim(word, `"'(),;`), "./")
	word, _, _ = strings.Cut(word, ":")
	word = strings.TrimRight(word, "/.")
	if strings.Contains(word, "..") || !regexp.MustCompile(`^[\w./-]+$`).MatchString(word) {
		return "", false
	}
	if first, _, nested := strings.Cut(word, "/"); nested {
		return word, slices.Contains(folders, first)
	}
	return word, regexp.MustCompile(`^[A-Z]+\.md$`).MatchString(word)
}

// DeadCommands finds candor commands in documents that the program does not
// have. known lists every command by its words: "run", "worker", "worker
// drain".
func DeadCommands(t *Tree, pick func(path string) bool, known []string) []string {
	var findings []string
	for _, d := range t.docs(pick) {
		for _, m := range slices.Concat(d.spans, d.commands) {
			for _, words := range candorCalls(m.text) {
				if wrong := unknownCommand(words, known); wrong != "" {
					findings = append(findings, d.finding(m, "`candor %s` is no command", wrong))
				}
			}
		}
	}
	return findings
}

// candorCalls returns the arguments of each call of candor in a command line.
func candorCalls(line string) [][]string {
	var calls [][]string
	for _, simple := range regexp.MustCompile(`\|\|?|&&?|;`).Split(line, -1) {
		words := strings.Fields(simple)
		for len(words) > 0 && regexp.MustCompile(`^\w+=`).MatchString(words[0]) {
			words = words[1:] // VAR=value before the command
		}
		switch {
		case len(words) > 2 && words[0] == "go" && words[1] == "run" && words[2] == "./cmd/candor":
			calls = append(calls, words[3:])
		case len(words) > 0 && (words[0] == "candor" || words[0] == "./candor" || words[0] == "bin/candor"):
			calls = append(calls, words[1:])
		}
	}
	return calls
}

// unknownCommand walks the words down the tree of commands. It returns the
// command that does not exist, or "". Below a command without children all
// words are its arguments.
func unknownCommand(words, known []string) string {
	command := ""
	for _, word := range words {
		if !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(word) {
			return "" // a flag, a placeholder or an argument
		}
		if !slices.ContainsFunc(known, func(k string) bool { return command == "" || strings.HasPrefix(k, command+" ") }) {
			return ""
		}
		command = strings.TrimSpace(command + " " + word)
		if !slices.Contains(known, command) {
			return command
		}
	}
	return ""
}
