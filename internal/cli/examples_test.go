package cli

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"candor"
)

// examples FILE runs every example in the help of the verbs that change work or
// workers, each of which must leave with 0. FILE has a task as JSON; it and its
// batch stand in for those that the examples name.
func examples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: examples FILE")
	}
	var task candor.Task
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &task))
	stands := []struct {
		pattern *regexp.Regexp
		by      string
	}{{regexp.MustCompile(`\bb_\w+`), task.Batch.String()}, {regexp.MustCompile(`\bt_\w+`), task.ID.String()}}
	ran := 0
	for _, cmd := range tree((&app{lookup: os.LookupEnv}).root()) {
		if cmd.Flags().Lookup("dry-run") == nil || cmd.Flags().Lookup("why") == nil {
			continue
		}
		for line := range strings.Lines(cmd.Example) {
			for _, s := range stands {
				line = s.pattern.ReplaceAllString(line, s.by)
			}
			if err := ts.Exec("sh", "-c", line); err != nil {
				ts.Fatalf("%s: the example %q: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
			}
			ran++
		}
	}
	if ran == 0 {
		ts.Fatalf("no verb changes anything")
	}
}
