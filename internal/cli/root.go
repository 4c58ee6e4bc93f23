package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// ownSignals marks a verb that handles signals itself.
const ownSignals = "own-signals"

// The groups of verbs in the help.
const (
	groupRun    = "run"
	groupLook   = "look"
	groupChange = "change"
	groupFarm   = "farm"
	groupTools  = "tools"
)

// root is the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "candor",
		Short: "Run batches of work on your own machines, and always know why something does not run",
		Example: lines(
			"candor run examples/library/plan.yaml    # everything at once: brain, workers, plan",
			"candor up                                # a brain and workers until you stop them",
			"candor submit plan.yaml --wait",
			"candor why worker-2",
		),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return wrongVerb(cmd, args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	a.globalFlags(root)
	for _, g := range []cobra.Group{
		{ID: groupRun, Title: "Run:"}, {ID: groupLook, Title: "Look:"}, {ID: groupChange, Title: "Change:"},
		{ID: groupFarm, Title: "Farm:"}, {ID: groupTools, Title: "Tools:"},
	} {
		root.AddGroup(&g)
	}
	a.addVerbs(root)
	root.SetHelpCommandGroupID(groupTools)
	root.SetCompletionCommandGroupID(groupTools)
	root.SetFlagErrorFunc(wrongFlag)
	root.SetUsageTemplate(usageTemplate)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.configFile, "config", "", "configuration file to read in place of ./candor.yaml ($CANDOR_CONFIG)")
	f.BoolVar(&a.noColor, "no-color", false, "no colour ($NO_COLOR)")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no talk on stderr but errors")
	f.CountVarP(&a.verbose, "verbose", "v", "more talk: DEBUG records of what this command starts")
	a.flagSetting(root, true, "state", "state", "state `directory` of the brain ($CANDOR_STATE_DIR)")
	a.flagSetting(root, true, "brain", "brain.url", "`URL` of the brain: unix:///path or http://host:port ($CANDOR_BRAIN_URL)")
	a.flagSetting(root, true, "token-file", "token_file", "`file` with the token for the brain ($CANDOR_TOKEN_FILE)")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // fails for unknown flags only
	_ = root.MarkPersistentFlagDirname("state")
	_ = root.MarkPersistentFlagFilename("token-file")
}

func (a *app) addVerbs(root *cobra.Command) {
	groups := []struct {
		id    string
		verbs []*cobra.Command
	}{
		{groupRun, []*cobra.Command{a.runVerb(), a.submitVerb(), a.validateVerb(), a.previewVerb(), a.waitVerb(), a.demoVerb()}},
		{groupLook, []*cobra.Command{a.lsVerb(), a.showVerb(), a.whyVerb(), a.logsVerb(), a.eventsVerb(), a.statusVerb()}},
		{groupChange, []*cobra.Command{a.cancelVerb(), a.retryVerb(), a.pauseVerb(), a.resumeVerb()}},
		{groupFarm, []*cobra.Command{a.upVerb(), a.brainVerb(), a.workerVerb(), a.modelVerb(), a.gpuVerb(), a.doctorVerb()}},
		{groupTools, []*cobra.Command{a.configVerb(), a.schemaVerb(), a.simVerb(), a.progressVerb(), a.versionVerb()}},
	}
	for _, g := range groups {
		for _, verb := range g.verbs {
			verb.GroupID = g.id
			root.AddCommand(verb)
		}
	}
}

// parent makes a command that only has commands below it.
func parent(cmd *cobra.Command, children ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return wrongVerb(cmd, args[0])
		}
		return cmd.Help()
	}
	cmd.AddCommand(children...)
	return cmd
}

// lines makes the examples of a verb.
func lines(examples ...string) string {
	var b strings.Builder
	for i, e := range examples {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %s", e)
	}
	return b.String()
}

// usageTemplate is what --help says after a command's description. Examples
// come last, next to where one types.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if .HasAvailableSubCommands}}{{$all := .Commands}}{{if .Groups}}{{range $group := .Groups}}

{{.Title}}{{range $all}}{{if and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{else}}

Commands:{{range $all}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}
`
