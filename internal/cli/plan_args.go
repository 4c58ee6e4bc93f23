package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"candor"
	"candor/internal/plan"
)

// addInputs gives a verb that reads a plan its -i.
func (a *app) addInputs(cmd *cobra.Command) {
	cmd.Flags().StringArrayP("input", "i", nil, "an input of the plan as `NAME=VALUE`; repeat for more")
	complete := func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		inputs, _ := plan.Inputs(args[0]) // a plan that cannot be read offers nothing
		var offers []string
		for _, in := range inputs {
			offers = append(offers, cobra.CompletionWithDesc(in.Name+"=", clean(in.Description)))
		}
		return offers, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc("input", complete) // fails for unknown flags only
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
}

// readPlan loads a plan with the inputs of the command line, and tells warnings.
func (a *app) readPlan(cmd *cobra.Command, path string) (*candor.Submission, error) {
	pairs, _ := cmd.Flags().GetStringArray("input")
	inputs := map[string]string{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			e := usage("--input %q is not NAME=VALUE", pair)
			e.Hint = fmt.Sprintf("write it like -i %s=...", cmp.Or(name, "folder"))
			return nil, e
		}
		if _, twice := inputs[name]; twice {
			return nil, usage("--input %s is given twice", name)
		}
		inputs[name] = value
	}
	return plan.Load(path, inputs, plan.Options{
		Dir: a.workDir,
		Warn: func(w *plan.Error) {
			fmt.Fprintf(a.Err, "%s ", a.style(a.Err).yellow("warning:"))
			w.Render(a.Err)
		},
		LeftOut: func(input string, tasks []string) {
			a.talk("left out, since input %s is empty: %s (-i %[1]s=… adds them)", input, strings.Join(tasks, ", "))
		},
	})
}

// tasksKnown counts the tasks that a submission makes at once, and tells
// whether more follow from manifests.
func tasksKnown(sub *candor.Submission) (n int, more bool) {
	items := map[string]int{}
	for _, s := range sub.Steps {
		switch {
		case s.Each == nil:
			items[s.Name] = 1
		case s.Each.From != nil:
			more = true
		case s.Each.Same != "":
			items[s.Name] = items[s.Each.Same]
		default:
			items[s.Name] = s.Each.Tasks()
		}
		n += items[s.Name]
	}
	return n, more
}
