package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"candor/internal/config"
)

// The grades of a finding.
const (
	gradeOK   = "ok"
	gradeWarn = "warn" // something cannot be had, the rest works
	gradeFail = "fail" // candor cannot work like this
)

// finding is what one look of the doctor came to.
type finding struct {
	Check string `json:"check"`
	Grade string `json:"grade"`
	Text  string `json:"text"`
	Mend  string `json:"mend,omitempty"` // what to do, ideally a command
}

func ok(check, format string, args ...any) finding {
	return finding{Check: check, Grade: gradeOK, Text: fmt.Sprintf(format, args...)}
}

func warn(check, mend, format string, args ...any) finding {
	return finding{Check: check, Grade: gradeWarn, Text: fmt.Sprintf(format, args...), Mend: mend}
}

func fail(check, mend, format string, args ...any) finding {
	return finding{Check: check, Grade: gradeFail, Text: fmt.Sprintf(format, args...), Mend: mend}
}

func (a *app) doctorVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at this machine and say what is missing, and what mends it",
		Long: `Looks at the configuration, the state directory, the brain, the shell, GPUs, model
servers, cgroups and the clock. Every line that is not ok says what mends it. "warn" means
that something cannot be had and the rest works; only "fail" leaves with 1.`,
		Example: lines("candor doctor", "candor doctor --json | jq '.findings[] | select(.grade != \"ok\")'"),
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := a.examine(cmd)
			if err := a.showFindings(cmd, findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Grade == gradeFail {
					return &outcome{exitInternal}
				}
			}
			return nil
		},
	}
	addOutput(cmd)
	return cmd
}

// examine makes all looks. A configuration that cannot be read leaves out those
// that depend on it.
func (a *app) examine(cmd *cobra.Command) []finding {
	cfg, err := a.config(cmd)
	if err != nil {
		var findings []finding
		for _, e := range config.AllOf(err) {
			findings = append(findings, fail("config", cmp.Or(e.Hint, settingsHint), "%s", e.Error()))
		}
		if findings == nil {
			findings = []finding{fail("config", settingsHint, "%s", err.Error())}
		}
		return append(findings, a.examineMachine(cmd.Context(), config.Models{Server: "auto"})...)
	}
	findings := []finding{a.checkConfig(cfg)}
	findings = append(findings, a.checkState(string(cfg.State))...)
	findings = append(findings, a.checkBrain(cmd.Context(), cfg)...)
	return append(findings, a.examineMachine(cmd.Context(), cfg.Models)...)
}

func (a *app) examineMachine(ctx context.Context, m config.Models) []finding {
	findings := append([]finding{checkShell(), checkGPU(ctx)}, a.checkModels(ctx, m)...)
	return append(findings, checkCgroup(), a.checkClock())
}

func (a *app) checkConfig(cfg *config.Loaded) finding {
	var found []string
	for _, f := range cfg.Files {
		if f.Found {
			found = append(found, f.Path)
		}
	}
	if len(found) == 0 {
		return ok("config", "no configuration file; the defaults hold (candor config show)")
	}
	return ok("config", "read %s", joinAnd(found))
}

func (a *app) showFindings(cmd *cobra.Command, findings []finding) error {
	columns := []column[finding]{
		{title: "CHECK", cell: func(f finding) string { return f.Check }},
		{title: "GRADE", state: true, cell: func(f finding) string { return f.Grade }},
		{title: "TEXT", cell: func(f finding) string { return f.Text }},
		{title: "MEND", cell: func(f finding) string { return f.Mend }},
	}
	f, err := outputOf(cmd)
	if err != nil || (f != formatTable && f != formatWide) {
		return writeList(a, cmd, kind{"finding", "findings"}, findings, columns)
	}
	s := a.style(a.Out)
	for _, f := range findings {
		fmt.Fprintf(a.Out, "%s %s %s\n", s.state(fmt.Sprintf("%-4s", f.Grade)), fmt.Sprintf("%-7s", f.Check), clean(f.Text))
		if f.Mend != "" {
			fmt.Fprintf(a.Out, "%13s%s %s\n", "", s.dim("mend:"), clean(f.Mend))
		}
	}
	return nil
}
