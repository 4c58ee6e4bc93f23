package candor

import (
	"math"
	"strings"
)

// Nearest is the candidate that word was most probably meant to be, or "" when
// none is near: a third of its characters may differ, or one begins with the
// other. Letters' case does not count. It words every "did you mean".
func Nearest(word string, candidates []string) string {
	allowed := max(1, len(word)/3)
	best, least := "", allowed+1
	for _, c := range candidates {
		a, b := strings.ToLower(word), strings.ToLower(c)
		d := distance(a, b)
		if begins(a, b) || begins(b, a) {
			d = min(d, allowed)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// begins tells whether long begins with short, and short is long enough to say something.
func begins(long, short string) bool { return len(short) >= 3 && strings.HasPrefix(long, short) }

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from one word to the other (optimal string alignment).
// Long texts are far from everything.
func distance(from, to string) int {
	const longest = 80
	a, b := []rune(from), []rune(to)
	if len(a) > longest || len(b) > longest {
		return math.MaxInt
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
