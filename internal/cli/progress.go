package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"candor"
	"candor/internal/process"
)

// envProgress is the variable by which a worker tells a task where to write.
const envProgress = "CANDOR_PROGRESS_FILE"

func (a *app) progressVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "progress DONE[/TOTAL] [NOTE...]",
		Short: "Report how far a task is, from inside the task",
		Long: `A task that calls this says how far it is: candor show and the progress bars tell
it, and a task that reports is not taken for stuck. Outside a task it does nothing,
so that a script also runs by hand.`,
		Example: lines("candor progress 40/125", "candor progress 40/125 reading chapter 3", "candor progress 12"),
		Args:    atLeastOne("DONE[/TOTAL]"),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := parseProgress(args[0])
			if err != nil {
				return err
			}
			p.Note = strings.Join(args[1:], " ")
			path := a.getenv(envProgress)
			if path == "" {
				a.talk("progress %s is told to nobody: $%s is not set, so this is no task", args[0], envProgress)
				return nil
			}
			return process.AppendProgress(path, p)
		},
	}
}

func parseProgress(text string) (process.Progress, error) {
	done, total, hasTotal := strings.Cut(text, "/")
	n, err := strconv.ParseInt(done, 10, 64)
	var m int64
	if err == nil && hasTotal {
		m, err = strconv.ParseInt(total, 10, 64)
	}
	if err != nil || n < 0 || m < 0 {
		return process.Progress{}, &candor.Error{
			Code: candor.CodeInvalid, Message: fmt.Sprintf("%q is not how far a task is", text),
			Hint: "write it like 40/125 or 40",
		}
	}
	return process.Progress{Done: n, Total: m}, nil
}
