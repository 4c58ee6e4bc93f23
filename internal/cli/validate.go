package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"candor/internal/plan"
)

// validation is what is known of a plan without a brain.
type validation struct {
	Valid bool   `json:"valid"`
	Name  string `json:"name"`
	Steps int    `json:"steps"`
	Tasks int    `json:"tasks"` // known now
	More  bool   `json:"more"`  // further tasks follow from manifests
}

// refutation is the same of a plan that is wrong: nothing of it can be counted.
type refutation struct {
	Valid    bool        `json:"valid"`
	Problems plan.Errors `json:"problems"`
}

func (a *app) validateVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate PLAN",
		Short: "Check a plan, without a brain",
		Long: `Reads a plan as submit does and says everything that is wrong with it: file, line,
column, a caret and what to write instead; --json has the same as problems. Nothing
is created.`,
		Example: lines("candor validate plan.yaml", "candor validate plan.yaml -i folder=docs --json"),
		Args:    exactly("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sub, err := a.readPlan(cmd, args[0])
			if problems, ok := errors.AsType[plan.Errors](err); ok {
				return errors.Join(err, a.refuted(cmd, problems))
			}
			if err != nil {
				return err
			}
			v := validation{Valid: true, Name: sub.Name, Steps: len(sub.Steps)}
			v.Tasks, v.More = tasksKnown(sub)
			columns := []column[validation]{
				{title: "NAME", cell: func(v validation) string { return v.Name }},
				{title: "STEPS", cell: func(v validation) string { return fmt.Sprint(v.Steps) }},
				{title: "TASKS", cell: func(v validation) string { return fmt.Sprint(v.Tasks) }},
			}
			return writeOne(a, cmd, kind{one: "validation"}, v, columns, func(w io.Writer, _ bool) {
				fmt.Fprintf(w, "%s is valid: %s, %s%s\n", clean(args[0]), plural(v.Steps, "step"), plural(v.Tasks, "task"), moreText(v.More))
			})
		},
	}
	a.addInputs(cmd)
	addOutput(cmd)
	return cmd
}

// refuted answers a program with what is wrong with a plan. People read it on
// stderr, as with every verb.
func (a *app) refuted(cmd *cobra.Command, problems plan.Errors) error {
	f, err := outputOf(cmd)
	if err != nil || f != formatJSON && f != formatJSONL {
		return err
	}
	return writeJSON(a.Out, "validation", refutation{Problems: problems}, f == formatJSON)
}

func moreText(more bool) string {
	if more {
		return ", and those that manifests will bring"
	}
	return ""
}
