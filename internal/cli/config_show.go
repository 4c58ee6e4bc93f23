package cli

import (
	"github.com/spf13/cobra"

	"candor"
	"candor/internal/config"
)

func (a *app) configVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the settings that hold, and where they come from",
		Long: `The first that speaks of a setting wins: flag, CANDOR_* variable, ./candor.yaml,
$XDG_CONFIG_HOME/candor/config.yaml, /etc/candor/config.yaml, default.`,
		Example: lines("candor config show --origin"),
	}
	return parent(cmd, a.configShowVerb())
}

func (a *app) configShowVerb() *cobra.Command {
	var origin bool
	cmd := &cobra.Command{
		Use:     "show [KEY...]",
		Short:   "Print settings as they hold here and now",
		Example: lines("candor config show", "candor config show --origin", "candor config show lease log.level --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := a.config(cmd)
			if err != nil {
				return err
			}
			entries, err := chosen(loaded.Entries(), args)
			if err != nil {
				return err
			}
			columns := []column[config.Entry]{
				{title: "KEY", cell: func(e config.Entry) string { return e.Key }},
				{title: "VALUE", cell: func(e config.Entry) string { return orDash(e.Value) }},
			}
			if origin {
				columns = append(columns, column[config.Entry]{title: "ORIGIN", cell: func(e config.Entry) string { return e.Origin.String() }})
			}
			return writeList(a, cmd, kind{"setting", "settings"}, entries, columns)
		},
		ValidArgsFunction: func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
			var keys []string
			for _, k := range config.Keys() {
				keys = append(keys, cobra.CompletionWithDesc(k.Name, k.Doc))
			}
			return beginning(prefix, keys), cobra.ShellCompDirectiveNoFileComp
		},
	}
	addOutput(cmd)
	cmd.Flags().BoolVar(&origin, "origin", false, "also where each value comes from")
	return cmd
}

func chosen(entries []config.Entry, keys []string) ([]config.Entry, error) {
	if len(keys) == 0 {
		return entries, nil
	}
	byKey := map[string]config.Entry{}
	var names []string
	for _, e := range entries {
		byKey[e.Key] = e
		names = append(names, e.Key)
	}
	var out []config.Entry
	for _, key := range keys {
		e, ok := byKey[key]
		if !ok {
			err := usage("%q is no setting", key)
			if near := candor.Nearest(key, names); near != "" {
				err.Hint = "did you mean " + near + "?"
			}
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}
