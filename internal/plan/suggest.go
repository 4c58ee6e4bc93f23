package plan

import (
	"fmt"
	"strings"
	"unicode"
)

// printable tells whether a character of an untrusted text may go to a terminal.
func printable(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) }

// didYouMean is a hint that names the candidate nearest to what was written, or
// else lists them all under a title.
func didYouMean(written string, candidates []string, title string) string {
	if best := nearest(written, candidates); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(candidates) == 0 {
		return ""
	}
	const most = 20
	if len(candidates) > most {
		candidates = append(candidates[:most:most], "…")
	}
	return title + ": " + strings.Join(candidates, ", ")
}

// nearest is the candidate that was probably meant, or "".
func nearest(written string, candidates []string) string {
	best, least := "", max(1, len(written)/3)+1
	other := otherWord(strings.ToLower(written))
	for _, c := range candidates {
		if c == other {
			return c
		}
		if d := distance(strings.ToLower(written), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// otherWord is our word for what other tools call it.
func otherWord(key string) string {
	switch key {
	case "depends_on", "depends-on", "dependson", "depends", "dependencies", "deps", "after":
		return "needs"
	case "cmd", "argv", "args", "exec":
		return "command"
	case "script", "shell", "sh":
		return "run"
	case "for_each", "for-each", "matrix", "loop", "with_items":
		return "foreach"
	case "steps", "jobs":
		return "tasks"
	case "params", "parameters", "vars", "variables", "args_schema":
		return "inputs"
	case "environment":
		return "env"
	case "memory", "gpu_memory":
		return "vram"
	case "retry", "max_retries", "attempts":
		return "retries"
	case "ttl", "deadline", "expire":
		return "expires"
	}
	return ""
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b. Long texts are far from everything.
func distance(a, b string) int {
	const longest = 80
	x, y := []rune(a), []rune(b)
	if len(x) > longest || len(y) > longest {
		return longest
	}
	row := make([][]int, len(x)+1)
	for i := range row {
		row[i] = make([]int, len(y)+1)
		row[i][0] = i
	}
	for j := range y {
		row[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[i+1][j+1] = min(row[i][j+1]+1, row[i+1][j]+1, row[i][j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[i+1][j+1] = min(row[i+1][j+1], row[i-1][j-1]+1)
			}
		}
	}
	return row[len(x)][len(y)]
}
