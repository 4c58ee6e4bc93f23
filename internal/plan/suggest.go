package plan

import (
	"fmt"
	"unicode"
)

// printable tells whether a character of an untrusted text may go to a terminal.
func printable(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) }

// didYouMean is a hint that names the candidate nearest to what was written, or
// else lists them all under the given title.
func didYouMean(written string, candidates []string, title string) string {
	return fmt.Sprintf("%s: %v", title, candidates)
}
