package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// cluster is a running Postgres of our own.
type cluster struct {
	url     string
	process *exec.Cmd
	exited  chan error
	log     string
}

// measurePostgres measures on a private cluster in dir.
func measurePostgres(ctx context.Context, dir string, set settings) (results []result, err error) {
	pg, err := startPostgres(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	config, err := pgxpool.ParseConfig(pg.url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if err := pg.awaitReady(ctx, pool); err != nil {
		return nil, err
	}
	return measureOn(ctx, riverpgxv5.New(pool), set)
}

// startPostgres makes a cluster under dir and starts its server. The socket
// stands in the data folder's parent, which only its owner may enter.
func startPostgres(ctx context.Context, dir string) (*cluster, error) {
	bin, err := binDir()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"),
		"-D", data, "-U", "river", "-A", "trust", "-E", "UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = owner, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb in %s, whose parents must be open to the user it runs as: %w\n%s", dir, err, out)
	}

	pg := &cluster{
		url:    fmt.Sprintf("host=%s user=river dbname=postgres", dir),
		exited: make(chan error, 1),
		log:    filepath.Join(dir, "server.log"),
	}
	log, err := os.Create(pg.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has its own descriptor
	// More memory and log than the small defaults, so that no checkpoint
	// falls into a run; fsync and synchronous_commit stay on.
	pg.process = exec.Command(filepath.Join(bin, "postgres"), "-D", data,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+dir,
		"-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
	pg.process.SysProcAttr, pg.process.Dir = owner, dir
	pg.process.Stdout, pg.process.Stderr = log, log
	if err := pg.process.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	go func() { pg.exited <- pg.process.Wait() }()
	return pg, nil
}

// awaitReady returns when the server answers, or why it does not.
func (pg *cluster) awaitReady(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := pool.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case exit := <-pg.exited:
			pg.exited <- exit // stop reads it again
			out, _ := os.ReadFile(pg.log)
			return fmt.Errorf("postgres ended: %w\n%s", exit, out)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// stop ends the server and waits for it: a fast shutdown, then a kill.
func (pg *cluster) stop() error {
	if err := pg.process.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop postgres: %w", err)
	}
	select {
	case err := <-pg.exited:
		return err
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("postgres did not stop and was killed"), pg.process.Process.Kill(), <-pg.exited)
	}
}

// binDir finds the server's programs: beside the postgres on PATH, else the
// newest that Debian's packages installed, which are not on PATH.
func binDir() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = slices.Insert(dirs, 0, filepath.Dir(path))
	}
	for _, dir := range dirs {
		if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("no Postgres server found on PATH or under /usr/lib/postgresql: install postgresql, or take -store sqlite")
}

func version(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // an odd name sorts last
	return n
}

// unprivileged gives dir to a user that Postgres agrees to run as, and returns
// how to start a process as that user. Only root needs this: Postgres refuses
// to run as root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	// A group of its own: an interrupt from the terminal must not stop the
	// server under our feet.
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() != 0 {
		return attr, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("find a user to run Postgres as: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, int(uid), int(gid))
}
