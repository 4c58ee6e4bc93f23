package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) logsVerb() *cobra.Command {
	var q candor.LogQuery
	var tail string
	var raw bool
	cmd := &cobra.Command{
		Use:   "logs TASK",
		Short: "Print what a task printed",
		Long: `Prints the output of the last attempt of TASK, or of --attempt N. On a terminal
control characters are replaced, since a job may print anything; --raw, a pipe or
a file get the bytes as they were.`,
		Example: lines("candor logs t_5g7n", "candor logs -f t_5g7n", "candor logs t_5g7n --attempt 1 --tail 4KiB"),
		Args:    exactly("TASK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if tail != "" {
				size, err := candor.ParseBytes(tail)
				if err != nil {
					return err
				}
				q.Offset = -int64(size)
			}
			return a.logs(cmd, args[0], q, raw)
		},
		ValidArgsFunction: a.completeNames(nameTasks),
	}
	f := cmd.Flags()
	f.BoolVarP(&q.Follow, "follow", "f", false, "go on while the attempt runs")
	f.IntVar(&q.Attempt, "attempt", 0, "`number` of the attempt; 0 is the last")
	f.StringVar(&tail, "tail", "", "only the last `size`, like 4KiB")
	f.BoolVar(&raw, "raw", false, "bytes as they were, on a terminal too")
	return cmd
}

func (a *app) logs(cmd *cobra.Command, ref string, q candor.LogQuery, raw bool) error {
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	id, err := findTask(cmd.Context(), c, ref)
	if err != nil {
		return err
	}
	body, info, err := c.Log(cmd.Context(), id.String(), q)
	if err != nil {
		return err
	}
	defer body.Close()
	if q.Offset < 0 && info.Offset > 0 {
		a.talk("%s before this are left out", candor.Bytes(info.Offset))
	}
	if _, shown := terminal(a.Out); shown && !raw {
		return copyClean(a.Out, body)
	}
	if _, err := io.Copy(a.Out, body); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	return nil
}

// copyClean copies text without what a terminal would obey, as it comes.
func copyClean(w io.Writer, r io.Reader) error {
	in := bufio.NewReader(r)
	var out []rune
	for {
		c, _, err := in.ReadRune()
		if err == nil {
			out = append(out, c)
		}
		if err != nil || c == '\n' || in.Buffered() == 0 {
			if _, failed := io.WriteString(w, cleanLines(string(out))); failed != nil {
				return failed
			}
			out = out[:0]
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
}
