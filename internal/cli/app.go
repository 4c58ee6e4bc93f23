package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"runtime/debug"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
	"candor/internal/clock"
	"candor/internal/config"
)

// app is one call of candor: its surroundings and its global flags.
type app struct {
	// given
	Stdio
	lookup  func(name string) (string, bool)
	clk     clock.Clock
	signals chan os.Signal
	goos    string
	uid     int
	home    string
	workDir string

	// from the command line
	configFile string
	noColor    bool
	quiet      bool
	verbose    int
	settings   []setting // flags that stand for a configuration key

	loaded *config.Loaded // by config, once
}

// setting is a flag that stands for a configuration key.
type setting struct{ flag, key string }

func (a *app) getenv(name string) string {
	text, _ := a.lookup(name)
	return text
}

// run is one call from arguments to exit code.
func (a *app) run(ctx context.Context, args []string) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := &sticky{Writer: a.Out}
	a.Out = out
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Annotations[ownSignals] == "" {
			go a.cancelOnSignal(ctx, cancel)
		}
		return checkFlags(cmd)
	}
	cmd, err := root.ExecuteContextC(ctx)
	if cause := (*interrupted)(nil); err != nil && errors.As(context.Cause(ctx), &cause) {
		err = cause
	}
	if out.err != nil && (err == nil || errors.Is(err, out.err) || isOutcome(err)) {
		err = fmt.Errorf("write the answer: %w", out.err)
	}
	if err != nil {
		a.explain(cmd, err)
	}
	return exitCode(err)
}

// checkFlags refuses values that a verb would stumble over only once it has done
// something.
func checkFlags(cmd *cobra.Command) error {
	if limit, err := cmd.Flags().GetDuration("timeout"); err == nil && limit < 0 {
		return usage("--timeout %s: a time cannot be negative", limit)
	}
	for _, name := range []string{"limit", "last", "attempt"} {
		if n, err := cmd.Flags().GetInt(name); err == nil && n < 0 {
			return usage("--%s %d: a number from 0 on is wanted", name, n)
		}
	}
	if cmd.Flags().Lookup("output") == nil {
		return nil
	}
	_, err := outputOf(cmd)
	return err
}

// cancelOnSignal ends a verb that has nothing to bring to an end.
func (a *app) cancelOnSignal(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case s := <-a.signals:
		cancel(&interrupted{s})
	case <-ctx.Done():
	}
}

// flagSetting makes a flag that stands for a configuration key.
func (a *app) flagSetting(cmd *cobra.Command, persistent bool, flag, key, usage string) {
	set := cmd.Flags()
	if persistent {
		set = cmd.PersistentFlags()
	}
	set.String(flag, "", usage)
	a.settings = append(a.settings, setting{flag: flag, key: key})
}

// settingsHint is where one reads what a setting may be.
const settingsHint = "candor schema config says what each setting may be"

// config reads the settings, once for each call.
func (a *app) config(cmd *cobra.Command) (*config.Loaded, error) {
	if a.loaded != nil {
		return a.loaded, nil
	}
	src := config.Sources{
		Flags: map[string]config.Flag{}, File: a.configFile, Env: a.lookup,
		Home: a.home, WorkDir: a.workDir, GOOS: a.goos, UID: a.uid,
	}
	for _, s := range a.settings {
		if f := cmd.Flags().Lookup(s.flag); f != nil && f.Changed {
			src.Flags[s.key] = config.Flag{Name: s.flag, Text: f.Value.String()}
		}
	}
	if a.verbose > 0 {
		src.Flags["log.level"] = config.Flag{Name: "verbose", Text: "debug"}
	}
	loaded, err := config.Load(src)
	if err != nil {
		for _, e := range config.AllOf(err) {
			e.Hint = cmp.Or(e.Hint, settingsHint)
		}
		return nil, err
	}
	a.loaded = loaded
	return loaded, nil
}

// client connects to the brain that the settings name.
func (a *app) client(cmd *cobra.Command) (*client.Client, error) {
	cfg, err := a.config(cmd)
	if err != nil {
		return nil, err
	}
	c := a.options(cfg, cfg.Brain.URL)
	c.Quiet = a.hearQuiet(cfg, cfg.Brain.URL)
	return client.New(c)
}

func (a *app) clientAt(cfg *config.Loaded, url string) (*client.Client, error) {
	return client.New(a.options(cfg, url))
}

func (a *app) options(cfg *config.Loaded, url string) client.Options {
	return client.Options{
		URL: url, TokenFile: string(cfg.TokenFile), UserAgent: "candor/" + version(), Clock: a.clk,
		Reconnected: func(r client.Reconnect) {
			if r.Tries == 1 {
				a.talk("the brain went away; trying again")
			}
		},
	}
}

// talk tells a person what goes on, on stderr.
func (a *app) talk(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.Err, clean(fmt.Sprintf(format, args...)))
	}
}

// by is who asks for a change: user@host.
func (a *app) by() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// version is the version of this program, as its build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func usage(format string, args ...any) *candor.Error {
	return candor.Errorf(candor.CodeInvalid, format, args...)
}
