package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"candor"
	"candor/internal/config"
	"candor/internal/gpu"
	"candor/internal/process"
	"candor/internal/store/sqlite"
	"candor/internal/worker"
)

// workerFlags are what a worker is told by its starter alone.
type workerFlags struct {
	gpu        string // UUID or index; "": none
	supervisor string
	server     string // its model server; see the constants
}

// What --model-server says beside an address of a server that runs, and :PORT
// for one of the worker's own.
const (
	noServer  = "none"
	ownServer = "own" // as the settings say
)

func (a *app) workerVerb() *cobra.Command {
	var w workerFlags
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Run a worker; with ls, drain, undrain and quarantine look after those that run",
		Long: `Runs a worker in the foreground: it asks the brain for tasks, runs them and reports.
The first INT or TERM drains it: it takes nothing new, and what runs gets worker.grace
to end. The second hands running tasks back at once. Workers need only the brain's
URL, and a token when it is on another machine.`,
		Example: lines("candor worker", "candor worker --name rig-cpu --slots 8 --labels bigdisk",
			"candor worker --gpu 0 --brain http://rig:7070 --token-file ~/.candor-token",
			"candor worker ls", "candor worker drain rig-cpu"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return wrongVerb(cmd, args[0])
			}
			return nil
		},
		Annotations: map[string]string{ownSignals: "yes"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config(cmd)
			if err != nil {
				return err
			}
			return a.work(cmd.Context(), cfg, w)
		},
	}
	a.flagSetting(cmd, false, "name", "worker.name", "`name`, unique among the brain's workers; default the machine's")
	a.flagSetting(cmd, false, "slots", "worker.slots", "`N` tasks at once; 0 is one with a GPU, else the machine's cores")
	a.flagSetting(cmd, false, "classes", "worker.classes", "`classes` it takes, in order of preference: "+join(candor.Classes()))
	a.flagSetting(cmd, false, "labels", "worker.labels", "`labels` that plans can require, with commas")
	a.flagSetting(cmd, false, "tools", "worker.tools", "`programs` that plans can require, with commas; default all on the PATH")
	cmd.Flags().StringVar(&w.gpu, "gpu", "", "the `GPU` it works with, by UUID or index; default none")
	cmd.Flags().StringVar(&w.server, "model-server", "", "`server` for llm tasks: none, the URL of one that runs, or :PORT for its own; default as models.server says")
	cmd.Flags().StringVar(&w.supervisor, "supervisor", "", "`name` of the supervisor that can end its processes")
	_ = cmd.Flags().MarkHidden("supervisor") // candor up sets it; a person has no use for it
	cmd.AddCommand(a.workerLsVerb(), a.drainVerb(), a.undrainVerb(), a.quarantineVerb())
	return cmd
}

// work runs a worker until it is asked to end.
func (a *app) work(ctx context.Context, cfg *config.Loaded, w workerFlags) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	name, err := workerName(cfg)
	if err != nil {
		return err
	}
	if err := candor.CheckWorkerName(name); err != nil {
		return err // before anything is written into a log of that name
	}
	card, err := findGPU(ctx, w.gpu)
	if err != nil {
		return err
	}
	log, err := a.openLog(cfg, name, a.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	c, err := a.clientAt(cfg, cfg.Brain.URL)
	if err != nil {
		return err
	}
	defer c.Close()
	stops, err := a.watchStops(ctx)
	if err != nil {
		return err
	}
	o := worker.Options{
		Name: name, StateDir: string(cfg.State), Brain: c,
		Classes: cfg.Worker.Classes, Slots: slotsOf(cfg, card), Labels: cfg.Worker.Labels, Tools: cfg.Worker.Tools,
		GPU: card, Supervisor: w.supervisor, Version: version(), Log: log.Logger(), Clock: a.clk, Stop: stops,
		Grace: cfg.Worker.Grace.D(), KillGrace: cfg.Worker.KillGrace.D(),
		BadWorkerExit: cfg.Worker.BadExit, KeepFailed: cfg.Worker.KeepFailed,
	}
	if !sqlite.Lives(string(cfg.State)) {
		o.KeepLogs = cfg.Retention.Age.D() // a brain would remove them by its history
	}
	if len(o.Classes) == 0 {
		o.Classes = nil // nil is the worker's own choice, an empty list is none
	}
	if len(o.Tools) == 0 {
		o.Tools = nil
	}
	if card != nil && card.Vendor != simulatedCard {
		o.Telemetry = gpu.Exec{}
	}
	if family, err := process.NewFamily(); err == nil { // elsewhere than on Linux nothing is inherited
		o.Family = family
	}
	if o.Models, err = a.modelHost(cfg, name, w.server, card, o.Family, log.Logger()); err != nil {
		return err
	}
	return worker.Run(ctx, o)
}

// workerName is the configured name, or the machine's without its domain.
func workerName(cfg *config.Loaded) (string, error) {
	if cfg.Worker.Name != "" {
		return cfg.Worker.Name, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", &candor.Error{Code: candor.CodeInvalid, Message: "this machine has no name to call the worker by", Hint: "--name NAME", Cause: err}
	}
	name, _, _ := strings.Cut(host, ".")
	return name, nil
}

func slotsOf(cfg *config.Loaded, card *gpu.GPU) int {
	switch {
	case cfg.Worker.Slots > 0:
		return cfg.Worker.Slots
	case card != nil:
		return 1
	default:
		return runtime.NumCPU()
	}
}

// findGPU finds the card that --gpu names; nil for none.
func findGPU(ctx context.Context, name string) (*gpu.GPU, error) {
	if name == "" {
		return nil, nil
	}
	if card, is := simulated(name); is {
		return card, nil
	}
	inventory, err := gpu.Detect(ctx, gpu.Exec{})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(inventory.GPUs, func(g gpu.GPU) bool {
		return g.UUID == name || g.Index.Known && fmt.Sprint(g.Index.Value) == name
	})
	if i < 0 {
		e := usage("no GPU is called %q", name)
		e.Hint = inventory.Sentence()
		return nil, e
	}
	return &inventory.GPUs[i], nil
}

// simulatedCard is the vendor of cards that candor demo makes up.
const simulatedCard gpu.Vendor = "simulated"

// simulated reads simulated:INDEX:SIZE, a card that is not there. No tool is
// asked about it.
func simulated(name string) (*gpu.GPU, bool) {
	parts := strings.Split(name, ":")
	if len(parts) != 3 || parts[0] != string(simulatedCard) {
		return nil, false
	}
	index, err := strconv.Atoi(parts[1])
	if err != nil {
		return nil, false
	}
	size, err := candor.ParseBytes(parts[2])
	if err != nil {
		return nil, false
	}
	memory := gpu.Reading[int64]{Value: int64(size), Known: true, Raw: parts[2]}
	return &gpu.GPU{
		Vendor: simulatedCard, Index: gpu.Reading[int]{Value: index, Known: true, Raw: parts[1]},
		UUID: "SIMULATED-" + parts[1], Name: "simulated card", MemoryTotal: memory, MemoryFree: memory,
	}, true
}
