package config

import (
	"fmt"

	"candor"
)

// didYouMean is a hint with the candidate nearest to word, "" when none is near.
func didYouMean(word string, candidates []string) string {
	if near := candor.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}
