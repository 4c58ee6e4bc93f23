package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// tree is every command below and with cmd, in the order of the help.
func tree(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			all = append(all, tree(sub)...)
		}
	}
	return all
}

func TestHelpOfEveryVerb(t *testing.T) {
	want := map[string]bool{}
	for _, cmd := range tree(newCall(t, nil).root()) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".golden"
		want[name] = true
		t.Run(name, func(t *testing.T) {
			c := newCall(t, nil)
			args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
			if code := c.run(t.Context(), args); code != exitOK {
				t.Errorf("exit code %d; stderr: %s", code, c.err.String())
			}
			golden(t, filepath.Join("testdata", "help", name), c.out.String())
		})
	}
	files, err := os.ReadDir(filepath.Join("testdata", "help"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f.Name()] {
			t.Errorf("testdata/help/%s is of no command", f.Name())
		}
	}
}

func TestEveryVerbHasAnExample(t *testing.T) {
	for _, cmd := range tree(newCall(t, nil).root()) {
		if cmd.Example == "" && cmd.Name() != "help" && !strings.Contains(cmd.CommandPath(), "completion") {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.Contains(line, "candor ") {
				t.Errorf("%s: example %q calls no candor", cmd.CommandPath(), strings.TrimSpace(line))
			}
		}
		if strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its short text is no sentence, and ends without a point", cmd.CommandPath())
		}
	}
}

// A local flag with the name of a global one would change its meaning from verb
// to verb.
func TestNoFlagHidesAGlobalOne(t *testing.T) {
	root := newCall(t, nil).root()
	for _, cmd := range tree(root)[1:] {
		for _, name := range []string{"state", "brain", "token-file", "config", "no-color", "quiet", "verbose"} {
			if f := cmd.LocalNonPersistentFlags().Lookup(name); f != nil {
				t.Errorf("%s has a --%s of its own", cmd.CommandPath(), name)
			}
		}
	}
}

// The list of commands is what the laws of the repository hold documents to.
func TestCommandListIsCurrent(t *testing.T) {
	var list []string
	for _, cmd := range tree(newCall(t, nil).root())[1:] {
		_, words, _ := strings.Cut(cmd.CommandPath(), " ")
		list = append(list, words)
	}
	slices.Sort(list)
	golden(t, filepath.Join("testdata", "commands.golden"), strings.Join(list, "\n")+"\n")
}
