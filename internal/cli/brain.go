package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) brainVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "brain",
		Short: "Run a brain: the queue, its decisions and the API",
		Long: `Runs a brain in the foreground until a signal. It keeps its data in the state
directory, and listens on a unix socket there that only its user can open, and
where --listen says. An address that other machines can reach needs --tokens. On SIGHUP it reads its
configuration again; a bad one is refused and the old one kept.`,
		Example: lines("candor brain", "candor brain --state /var/lib/candor --listen 127.0.0.1:7070",
			"candor brain --listen 0.0.0.0:7070 --tokens /etc/candor/tokens"),
		Args:        exactly(),
		Annotations: map[string]string{ownSignals: "yes"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config(cmd)
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), cfg)
		},
	}
	a.flagSetting(cmd, false, "listen", "brain.listen", "further `addresses` to listen on: host:port or unix:///path")
	a.flagSetting(cmd, false, "tokens", "tokens_file", "`file` of accepted tokens: lines of role and token, mode 600")
	return cmd
}
