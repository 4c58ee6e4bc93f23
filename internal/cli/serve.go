package cli

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"candor"
	"candor/internal/config"
	"candor/internal/daemon"
	"candor/internal/record"
	"candor/internal/sched"
	"candor/internal/store"
)

// service is a brain's process: its log, its settings, its signals.
type service struct {
	// immutable
	a      *app
	log    *record.Log
	logger *slog.Logger
	socket string
	rules  chan daemon.Rules

	// reload only
	cfg *config.Loaded // the one that holds
}

// serve runs a brain until it is asked to end. Work under way in workers is not
// touched: they ride it out and deliver when a brain is back.
func (a *app) serve(ctx context.Context, cfg *config.Loaded) (err error) {
	if err := a.makeState(cfg); err != nil {
		return err
	}
	log, err := a.openLog(cfg, "brain", a.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	s := &service{a: a, cfg: cfg, log: log, logger: log.Logger(), socket: cfg.Socket, rules: make(chan daemon.Rules)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stops, err := a.watchStops(ctx)
	if err != nil {
		return err
	}
	go s.endOn(stops, cancel)
	go s.reloads(ctx)
	rules := rulesOf(cfg.Config)
	err = daemon.Run(ctx, daemon.Options{
		StateDir: string(cfg.State), Listen: cfg.Addresses(), TokensFile: string(cfg.TokensFile),
		Sched: rules.Sched, Retention: rules.Retention, Version: version(), Log: s.logger, Flush: log.Flush,
		Clock: a.clk, Seed: seed(), Beat: s.watchdog(), Reload: s.rules, Ready: s.ready,
	})
	if err == nil {
		s.logger.Info("Brain stopped")
	}
	return err
}

// ready tells where the brain listens, once it does.
func (s *service) ready(addrs []net.Addr) {
	for _, addr := range addrs {
		url := "http://" + addr.String()
		if addr.Network() == "unix" {
			url = s.socket // the listener's own name is the one before it was moved into place
		}
		s.logger.Info("Brain listening on "+url, record.KeyURL, url, record.KeyPID, os.Getpid())
	}
	s.notify(sd.SdNotifyReady)
}

// endOn ends the brain at the first stop. Answers under way get a few seconds;
// there is nothing else to drain, so a second stop has nothing to interrupt.
func (s *service) endOn(stops <-chan string, cancel context.CancelFunc) {
	word := <-stops
	s.logger.Info(fmt.Sprintf("Brain received shutdown signal (%s)", word), record.KeySignal, word)
	s.notify(sd.SdNotifyStopping)
	cancel()
}

// makeState makes the state directory and that of its socket, for this user only.
func (a *app) makeState(cfg *config.Loaded) error {
	if err := makeStateDir(cfg); err != nil {
		return err
	}
	socket := strings.TrimPrefix(cfg.Socket, "unix://")
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		return &candor.Error{Code: candor.CodeInvalid, Message: "directory of the socket cannot be made", Hint: "name a shorter --state, whose socket is inside it", Cause: err}
	}
	return nil
}

// makeStateDir makes the state directory for this user only: outputs, logs and
// prompts are in it. One that is there stays as it is.
func makeStateDir(cfg *config.Loaded) error {
	if err := os.MkdirAll(string(cfg.State), 0o700); err != nil {
		return &candor.Error{Code: candor.CodeInvalid, Message: "state directory cannot be made", Hint: "name another with --state", Cause: err}
	}
	return nil
}

// rulesOf are the settings as the deciding part takes them.
func rulesOf(c config.Config) daemon.Rules {
	r := sched.Defaults()
	r.Heartbeat, r.Lost, r.Lease, r.Asking = c.Heartbeat.Interval.D(), c.Heartbeat.Lost.D(), c.Lease.D(), c.Heartbeat.Asking.D()
	r.Stuck = map[candor.Class]time.Duration{
		candor.ClassCPU: c.Stuck.CPU.D(), candor.ClassScript: c.Stuck.Script.D(),
		candor.ClassLLM: c.Stuck.LLM.D(), candor.ClassResource: c.Stuck.Resource.D(),
	}
	r.Aging, r.Monitor = c.Priority.Aging.D(), c.Monitor.Interval.D()
	r.Backoff, r.BackoffMax = c.Retry.Backoff.D(), c.Retry.BackoffMax.D()
	r.FreeTries, r.Poison, r.PoisonHold, r.Quarantine = c.Retry.Uncounted, c.Retry.Poison, c.Retry.PoisonHold.D(), c.Retry.Quarantine
	r.Placement = sched.Placement{
		MaxHot: c.Placement.MaxHot, Hold: c.Placement.Hold.D(), MaxWait: c.Placement.MaxWait.D(), Expect: c.Placement.Expect.D(),
		Expiry: c.Placement.Expiry.D(), LoadsPerHost: c.Placement.LoadsPerHost, IdleUnload: c.Placement.IdleUnload.D(),
		LoadGuess: c.Placement.LoadGuess.D(), RunGuess: c.Placement.RunGuess.D(), Retry: c.Placement.Retry.D(), Off: c.Placement.Off,
	}
	r.Heat = sched.Heat{Limit: float64(c.Heat.Limit), Resume: float64(c.Heat.Resume)}
	if c.Heat.Limit == 0 {
		r.Heat.Limit = -1
	}
	if r.Forget = c.Retention.Workers.D(); r.Forget == 0 {
		r.Forget = -1
	}
	r.BatchRoot = filepath.Join(string(c.State), "batches")
	return daemon.Rules{Sched: r, Retention: store.Retention{Age: c.Retention.Age.D(), Size: c.Retention.Size}}
}

// seed is where the ids of a new store start.
func seed() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return int64(binary.LittleEndian.Uint64(b[:]) >> 1)
}

// notify tells systemd, if it asked to be told.
func (s *service) notify(state string) {
	if _, err := sd.SdNotify(false, state); err != nil {
		s.logger.Warn("systemd cannot be told: "+err.Error(), record.KeyError, err.Error())
	}
}

// watchdog feeds systemd's watchdog from the loop itself, so that a stuck loop
// is seen; nil if there is none.
func (s *service) watchdog() func() {
	limit, err := sd.SdWatchdogEnabled(false)
	if err != nil || limit == 0 {
		return nil
	}
	var last time.Time
	return func() {
		if now := s.a.clk.Now(); now.Sub(last) >= limit/4 {
			last = now
			s.notify(sd.SdNotifyWatchdog)
		}
	}
}

// reloads reads the configuration again at each SIGHUP.
func (s *service) reloads(ctx context.Context) {
	signals := reloadSignals()
	if len(signals) == 0 {
		return
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, signals...)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			s.reload(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *service) reload(ctx context.Context) {
	next, err := s.cfg.Reload()
	if err != nil {
		text := err.Error()
		if hint := hintOf(err); hint != "" {
			text += " (" + hint + ")"
		}
		s.logger.Error("Configuration refused, the old one stays: "+text, record.KeyError, text)
		return
	}
	changes := s.cfg.Changes(next)
	for _, c := range changes {
		text := fmt.Sprintf("Setting %s changed from %q to %q", c.Key, c.Old, c.New)
		if !c.Live {
			text += "; it holds from the next start"
		}
		s.logger.Info(text)
	}
	if level, err := record.ParseLevel(next.Log.Level); err == nil {
		s.log.SetLevel(level)
	}
	select {
	case s.rules <- rulesOf(next.Config):
	case <-ctx.Done():
		return
	}
	s.cfg = next
	s.logger.Info(fmt.Sprintf("Configuration read again, %s", plural(len(changes), "change")))
}
