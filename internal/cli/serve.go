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

	"github.com/coreos/go-systemd/v22/daemon"

	"candor"
	"candor/internal/brain"
	"candor/internal/config"
	"candor/internal/httpapi"
	"candor/internal/record"
	"candor/internal/sched"
	"candor/internal/store"
	"candor/internal/store/sqlite"
)

// goodbye is how long answers under way get when a brain stops.
const goodbye = 5 * time.Second

// service is a brain put together: store, loop and server.
type service struct {
	a      *app
	cfg    *config.Loaded
	log    *record.Log
	logger *slog.Logger
	store  *sqlite.Store
	brain  *brain.Brain
	server *httpapi.Server
	listen net.Listener
}

// serve runs a brain until it is asked to end.
func (a *app) serve(ctx context.Context, cfg *config.Loaded) (err error) {
	s := &service{a: a, cfg: cfg}
	if err := os.MkdirAll(string(cfg.State), 0o700); err != nil {
		return &candor.Error{Code: candor.CodeInvalid, Message: "state directory cannot be made", Hint: "name another with --state", Cause: err}
	}
	if s.log, err = a.openLog(cfg, "brain", a.Err); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.log.Close()) }()
	s.logger = s.log.Logger()
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// open takes the state's lead before the address, so that a second brain on
// one state hears who leads it.
func (s *service) open(ctx context.Context) error {
	cfg := s.cfg
	tokens, err := readTokens(string(cfg.TokensFile))
	if err != nil {
		return err
	}
	if err := socketDir(cfg.Brain.Listen); err != nil {
		return err
	}
	if s.store, err = sqlite.Open(ctx, sqlite.Options{Dir: string(cfg.State), Seed: seed(), Clock: s.a.clk, Address: cfg.Brain.URL}); err != nil {
		return err
	}
	if s.listen, err = httpapi.Listen(ctx, cfg.Brain.Listen, tokens); err != nil {
		return errors.Join(err, s.store.Close())
	}
	rules := s.rules()
	if s.brain, err = brain.New(ctx, brain.Options{
		Store: s.store, Sched: rules, Clock: s.a.clk, Log: s.logger, Flush: s.log.Flush,
		Retention: store.Retention{Age: cfg.Retention.Age.D(), Size: cfg.Retention.Size},
		Beat:      s.watchdog(), Holder: func() string { return s.store.Stats().Holder }, Version: version(), PID: os.Getpid(),
	}); err != nil {
		return errors.Join(err, s.listen.Close(), s.store.Close())
	}
	s.server, err = httpapi.New(httpapi.Options{
		Brain: s.brain, Store: s.store, StateDir: string(cfg.State), BatchRoot: rules.BatchRoot,
		Tokens: tokens, Version: version(), Clock: s.a.clk, Logger: s.logger,
	})
	if err != nil {
		return errors.Join(err, s.listen.Close(), s.store.Close())
	}
	return nil
}

// run serves until a stop. Work under way in workers is not touched: they ride
// it out and deliver when a brain is back.
func (s *service) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stops, err := s.a.watchStops(ctx)
	if err != nil {
		return err
	}
	loop, served := make(chan error, 1), make(chan error, 1)
	loopCtx, endLoop := context.WithCancel(context.WithoutCancel(ctx))
	defer endLoop()
	go func() { loop <- s.brain.Run(loopCtx) }()
	go func() { served <- s.server.Serve(s.listen) }()
	s.logger.Info("Brain listening on "+s.cfg.Brain.Listen, record.KeyURL, s.cfg.Brain.URL, record.KeyPID, os.Getpid())
	s.notify(daemon.SdNotifyReady)
	go s.reloads(ctx)

	var failed error
	loopEnded := false
	select {
	case word := <-stops:
		s.logger.Info(fmt.Sprintf("Brain received shutdown signal (%s)", word), record.KeySignal, word)
	case <-ctx.Done():
	case failed = <-served:
	case failed = <-loop:
		loopEnded = true
	}
	s.notify(daemon.SdNotifyStopping)
	return errors.Join(failed, s.close(stops, endLoop, loop, loopEnded))
}

// close ends server, loop and store in this order. A second stop cuts off
// answers under way.
func (s *service) close(stops <-chan string, endLoop func(), loop <-chan error, loopEnded bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	go func() {
		select {
		case <-stops:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		s.logger.Warn("Brain cut off answers that were still under way")
		err = nil
	}
	endLoop()
	if !loopEnded {
		err = errors.Join(err, <-loop)
	}
	err = errors.Join(err, s.store.Close())
	s.logger.Info("Brain stopped")
	return err
}

// rules are the settings as the deciding part takes them.
func (s *service) rules() sched.Config { return rulesOf(s.cfg.Config) }

func rulesOf(c config.Config) sched.Config {
	r := sched.Defaults()
	r.Heartbeat, r.Lost, r.Lease, r.Asking = c.Heartbeat.Interval.D(), c.Heartbeat.Lost.D(), c.Lease.D(), c.Heartbeat.Asking.D()
	r.Stuck = map[candor.Class]time.Duration{
		candor.ClassCPU: c.Stuck.CPU.D(), candor.ClassScript: c.Stuck.Script.D(),
		candor.ClassLLM: c.Stuck.LLM.D(), candor.ClassResource: c.Stuck.Resource.D(),
	}
	r.Aging, r.Monitor = c.Priority.Aging.D(), c.Monitor.Interval.D()
	r.Backoff, r.BackoffMax = c.Retry.Backoff.D(), c.Retry.BackoffMax.D()
	r.FreeTries, r.Poison = c.Retry.Uncounted, c.Retry.Poison
	r.BatchRoot = filepath.Join(string(c.State), "batches")
	return r
}

func readTokens(path string) (*httpapi.Tokens, error) {
	if path == "" {
		return nil, nil
	}
	return httpapi.ReadTokens(path)
}

// socketDir makes the directory of a unix socket, for this user only.
func socketDir(listen string) error {
	path, ok := strings.CutPrefix(listen, "unix://")
	if !ok {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &candor.Error{Code: candor.CodeInvalid, Message: "directory of the socket cannot be made", Hint: "choose another with --listen", Cause: err}
	}
	return nil
}

// seed is where the ids of a new store start.
func seed() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return int64(binary.LittleEndian.Uint64(b[:]) >> 1)
}

// notify tells systemd, if it asked to be told.
func (s *service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.logger.Warn("systemd cannot be told: "+err.Error(), record.KeyError, err.Error())
	}
}

// watchdog feeds systemd's watchdog from the loop itself, so that a stuck loop
// is seen; nil if there is none.
func (s *service) watchdog() func() {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil || limit == 0 {
		return nil
	}
	var last time.Time
	return func() {
		if now := s.a.clk.Now(); now.Sub(last) >= limit/4 {
			last = now
			s.notify(daemon.SdNotifyWatchdog)
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
			s.reload()
		case <-ctx.Done():
			return
		}
	}
}

func (s *service) reload() {
	next, err := s.cfg.Reload()
	if err != nil {
		s.logger.Error("Configuration refused, the old one stays: "+err.Error(), record.KeyError, err.Error())
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
	s.cfg = next
	s.logger.Info(fmt.Sprintf("Configuration read again, %s", plural(len(changes), "change")))
}
