package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"candor"
	"candor/internal/config"
	"candor/internal/record"
)

func (a *app) upVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a brain and local workers until you stop them",
		Long: `Starts a brain and workers as child processes and keeps them running: what dies is
started again with growing pauses, and every exit is logged. By default one worker
takes cpu tasks on all cores, and one more each GPU. The first INT or TERM drains:
nothing new starts, and what runs gets worker.grace to end. The second interrupts.
An orderly end leaves with 0.`,
		Example: lines("candor up", "candor up --workers 3 --slots 1", "candor up --state ./state --listen 127.0.0.1:7070"),
		Args:    exactly(), Annotations: map[string]string{ownSignals: "yes"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config(cmd)
			if err != nil {
				return err
			}
			return a.up(cmd.Context(), cfg)
		},
	}
	a.farmFlags(cmd)
	a.flagSetting(cmd, false, "listen", "brain.listen", "further `addresses` of the brain: host:port or unix:///path")
	a.flagSetting(cmd, false, "tokens", "tokens_file", "`file` of accepted tokens: lines of role and token, mode 600")
	return cmd
}

// farmFlags are those of verbs that start local workers.
func (a *app) farmFlags(cmd *cobra.Command) {
	a.flagSetting(cmd, false, "workers", "up.workers", "`N` workers without a GPU")
	a.flagSetting(cmd, false, "slots", "worker.slots", "`N` tasks at once on each of them; 0 shares the cores")
	a.flagSetting(cmd, false, "gpus", "up.gpus", "`true|false`: one worker more for each GPU")
}

func (a *app) up(ctx context.Context, cfg *config.Loaded) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := a.makeState(cfg); err != nil {
		return err
	}
	c, err := a.clientAt(cfg, cfg.Socket)
	if err != nil {
		return err
	}
	defer c.Close()
	if st, err := c.Status(ctx); err == nil {
		return &candor.Error{
			Code: candor.CodeLocked, Message: fmt.Sprintf("a brain (pid %d) already answers at %s", st.PID, cfg.Socket),
			Hint: "candor worker adds a worker to it; --state DIR starts one apart",
		}
	}
	lock, err := keepFarm(cfg, keptByUp)
	if err != nil {
		return err
	}
	if lock == nil {
		return lastKeeper(cfg).busy(cfg)
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	log, err := a.openLog(cfg, "up", a.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	stops, err := a.watchStops(ctx)
	if err != nil {
		return err
	}
	s, err := a.newFarm(cfg, c, log.Logger(), a.Err).start(ctx)
	if err != nil {
		return err
	}
	var word string
	err = s.begin(ctx, stops)
	if early, ok := errors.AsType[*interrupted](err); ok {
		word = stopWord(early.signal)
	} else if err != nil {
		return errors.Join(err, s.end())
	} else {
		a.welcome(cfg, s)
		select {
		case err := <-s.done:
			return err
		case word = <-stops:
		}
	}
	log.Logger().Info(fmt.Sprintf("Received shutdown signal (%s): draining; a second one interrupts", word), record.KeySignal, word)
	s.stop()
	return s.wait(stops)
}

// welcome says where everything is.
func (a *app) welcome(cfg *config.Loaded, s *started) {
	flag := ""
	if cfg.Origin("state").Layer == config.LayerFlag {
		flag = " --state " + string(cfg.State)
	}
	a.talk("candor is up: brain at %s, %s, state in %s", strings.Join(cfg.Addresses(), " and "), plural(len(s.farm.workers), "worker"), cfg.State)
	a.talk("submit:  candor%s submit PLAN", flag)
	a.talk("look:    candor%s status", flag)
}
