package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"candor"
)

// words is a closed list of the vocabulary as plain strings.
func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func join[T ~string](list []T) string { return strings.Join(words(list), ", ") }

// oneOf refuses a word that is not in a closed list; empty is none.
func oneOf(flag, word string, list []string) error {
	if word == "" || slices.Contains(list, word) {
		return nil
	}
	e := usage("%s: %q is not one of %s", flag, word, strings.Join(list, ", "))
	if near := candor.Nearest(word, list); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}

// completeWords offers a closed list to the shell.
func completeWords(cmd *cobra.Command, flag string, list []string) {
	offer := func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return beginning(prefix, list), cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc(flag, offer) // fails for unknown flags only
}

// plural writes a number with its noun: 1 task, 2 tasks.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "ch") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// joinAnd writes a list as people do: a, b and c.
func joinAnd(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
