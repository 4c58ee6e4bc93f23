package cli

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"candor"
)

func TestDocumentOfTheCommandLineIsCurrent(t *testing.T) {
	golden(t, filepath.Join("..", "..", "docs", "cli.md"), document(newCall(t, nil).root()))
}

// document is docs/cli.md, made from the commands themselves.
func document(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The command line\n\n")
	b.WriteString("Written by `go test ./internal/cli -update` from the commands themselves; a test keeps it current.\n\n")
	b.WriteString("The answer is on stdout, talk on stderr. Every read takes `-o table|wide|json|jsonl|tsv` and `--json`; ")
	b.WriteString("JSON carries a `schema` that names its shape, and shapes only grow. ")
	b.WriteString("Ids may be cut short while they are unique. A command returns when the thing has happened; `--no-wait` does not wait.\n\n")
	b.WriteString("## Exit codes\n\n" + exitTable() + "\n")
	b.WriteString("## Flags of every command\n\n```\n" + root.PersistentFlags().FlagUsages() + "```\n\n## Commands\n")
	for _, cmd := range tree(root)[1:] {
		if cmd.Name() == "help" || strings.HasPrefix(cmd.CommandPath(), "candor completion ") {
			continue
		}
		text := cmd.Long
		if text == "" {
			text = cmd.Short + "."
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n```\n%s\n```\n", cmd.CommandPath(), text, strings.TrimSuffix(cmd.UseLine(), " [flags]"))
		if flags := cmd.LocalNonPersistentFlags(); flags.HasAvailableFlags() {
			fmt.Fprintf(&b, "\n```\n%s```\n", flags.FlagUsages())
		}
		if cmd.Example != "" && !strings.HasPrefix(cmd.CommandPath(), "candor completion") {
			fmt.Fprintf(&b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
		}
	}
	return b.String()
}

// exitTable is the table of exit codes, with the error codes that lead there.
func exitTable() string {
	meaning := map[int]string{
		exitOK: "done; for a wait: every task succeeded", exitInternal: "internal or unexpected error; for doctor: something must be mended",
		exitUsage: "wrong usage, an invalid plan, or a `--key` that is taken", exitTasksFailed: "ran, but some tasks failed", exitCancelled: "cancelled or expired",
		exitUnplaceable: "a step fits on no worker", exitUnreachable: "the brain cannot be reached", exitLater: "try again later",
		exitNotAllowed: "not allowed", exitTimeout: "`--timeout` ran out", exitInterrupted: "interrupted", exitTerminated: "terminated",
	}
	from := map[int][]string{}
	for code, exit := range exits() {
		from[exit] = append(from[exit], "`"+string(code)+"`")
	}
	var b strings.Builder
	b.WriteString("| Code | Meaning | Errors |\n|--|--|--|\n")
	for _, exit := range slices.Sorted(maps.Keys(meaning)) {
		slices.Sort(from[exit])
		fmt.Fprintf(&b, "| %d | %s | %s |\n", exit, meaning[exit], strings.Join(from[exit], " "))
	}
	return b.String()
}

// A code that the table forgets would leave as "internal error".
func TestEveryErrorCodeHasAnExitCode(t *testing.T) {
	codes := []candor.Code{
		candor.CodeInternal, candor.CodeInvalid, candor.CodeNotFound, candor.CodeAmbiguous, candor.CodeConflict, candor.CodeStale,
		candor.CodeUnauthorized, candor.CodeForbidden, candor.CodeTooLarge, candor.CodeUnavailable, candor.CodeRetry,
		candor.CodeStoreFull, candor.CodeStoreBusy, candor.CodeLocked, candor.CodePortTaken, candor.CodeUnplaceable,
		candor.CodeTimeout, candor.CodeUnsupported, candor.CodeInterrupted,
	}
	table := exits()
	for _, code := range codes {
		if _, ok := table[code]; !ok {
			t.Errorf("%s has no exit code", code)
		}
	}
	if len(table) != len(codes) {
		t.Errorf("the table has %d codes, this test knows %d", len(table), len(codes))
	}
}
