package worker

import (
	"strings"
	"unicode/utf8"

	"candor"
)

// lastLineLimit bounds, in bytes, how much of its last line an attempt's reason has.
const lastLineLimit = 200

// sayLast adds to why an attempt did not end well the last line that it printed:
// an exit code alone tells people little, and whoever waits for the task is told
// the same reason. What was ended on order has nothing to say.
func sayLast(r *candor.Result) {
	line := lastLine(r.Tail)
	if r.Reason == nil || line == "" || r.Outcome == candor.AttemptAborted {
		return
	}
	said := *r.Reason // others may hold this one
	said.Operands = nil
	for k, v := range r.Reason.Operands {
		said.With(k, v)
	}
	said.Text += "; it printed at last: " + line
	r.Reason = said.With("last_line", line)
}

// lastLine is the last line of a text that is not blank, bounded.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	line := strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
	if len(line) <= lastLineLimit {
		return line
	}
	n := lastLineLimit
	for !utf8.RuneStart(line[n]) {
		n--
	}
	return line[:n] + "…"
}
