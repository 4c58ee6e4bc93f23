package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"

	"candor"
	"candor/internal/clock"
	"candor/internal/store"
)

// fileName is the database in a state directory.
const fileName = "candor.db"

// defaultPatience is how long a commit waits for somebody else's write lock.
const defaultPatience = 30 * time.Second

// Options say where a store is and who opens it.
type Options struct {
	// Dir is the state directory; made (0700) if it is not there.
	Dir string
	// Seed decides where ids, leases and sessions of a new store start, so that
	// those of two stores do not meet by accident. An existing store keeps its own.
	Seed int64
	// Clock measures commits and stamps the lock. Nil: the machine's.
	Clock clock.Clock
	// Address is where the leader can be reached, for whoever finds the lock taken.
	Address string
	// ReadOnly opens for reading alone, with or without a leader beside it.
	ReadOnly bool
	// Patience is how long a commit waits for a foreign write lock before it
	// ends with candor.CodeStoreBusy. 0: 30 s.
	Patience time.Duration
}

// Store is a store.Store in one SQLite file.
type Store struct {
	reader // immutable

	// immutable
	file  string
	opts  Options
	lead  *lead // nil: read only
	epoch int64
	flush *flusher

	mu     sync.Mutex
	w      *writer // guarded by mu; nil: read only, or closed
	pace   pace    // guarded by its own lock: Stats is asked while a commit waits
	closed bool    // guarded by mu
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the store of a state directory and leads it, unless
// ReadOnly. Errors: candor.CodeLocked if somebody else leads it,
// candor.CodeUnsupported on a network file system or for a newer schema,
// candor.CodeNotFound if ReadOnly finds no store.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	s := &Store{file: filepath.Join(o.Dir, fileName), opts: o, epoch: -1}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	// fdatasync leaves out the time stamps, whose journal entry is half of what
	// a commit waits for. Where it does not exist, fsync stays.
	_, _ = driver.Fdatasync(true)
	if s.opts.ReadOnly {
		return s.openReadOnly(ctx)
	}
	if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
		return fault("make state directory "+s.opts.Dir, err)
	}
	if err := refuseRemote(s.opts.Dir); err != nil {
		return err
	}
	var err error
	if s.lead, err = takeLead(s.opts); err != nil {
		return err
	}
	if err := touchPrivate(s.file); err != nil {
		return fault("make "+s.file, err)
	}
	if err := migrate(ctx, s.file); err != nil {
		return err
	}
	if s.w, err = openWriter(ctx, s.file); err != nil {
		return err
	}
	if s.epoch, err = s.begin(); err != nil {
		return err
	}
	if s.place, err = placeOf(s.file); err != nil {
		return fault("look at "+s.file, err)
	}
	if s.db, err = openReaders(ctx, s.file); err != nil {
		return err
	}
	s.flush, err = startFlusher(ctx, s.file, s.opts.Clock)
	return err
}

func (s *Store) openReadOnly(ctx context.Context) error {
	if _, err := os.Stat(s.file); errors.Is(err, os.ErrNotExist) {
		return &candor.Error{
			Code: candor.CodeNotFound, Message: "no candor state in " + s.opts.Dir,
			Hint: "name its directory with --state, or start a brain there", Cause: err,
		}
	}
	if err := refuseRemote(s.opts.Dir); err != nil {
		return err
	}
	var err error
	if s.db, err = openReaders(ctx, s.file); err != nil {
		return err
	}
	return checkVersion(ctx, s.db)
}

// begin raises the epoch, sets the counters of a new store, and leaves out some
// leases: if this is a copy that was put back, they were given out since it was made.
func (s *Store) begin() (epoch int64, err error) {
	err = s.transact(func() error {
		id, lease := firstID(s.opts.Seed), firstLease(s.opts.Seed)
		if _, err := s.w.exec(`INSERT INTO meta (one, epoch, revision, next_task, next_batch, next_lease, first_lease, next_session, next_event)
			VALUES (1, 0, 0, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`, id, id, lease, lease, lease); err != nil {
			return err
		}
		if _, err := s.w.exec(`UPDATE meta SET epoch = epoch + 1, next_lease = next_lease + ?`, leasesLeftOut(s.opts.Seed)); err != nil {
			return err
		}
		epoch, err = s.w.number(`SELECT epoch FROM meta`)
		return err
	})
	return epoch, fault("take the lead of "+s.file, err)
}

// firstID spreads stores over the lower half of the ids, which leaves each the
// upper half to grow into.
func firstID(seed int64) int64 { return int64(scatter(seed)%(candor.MaxID/2)) + 1 }

// firstLease spreads stores over the numbers of at most ten digits, for leases
// and sessions alike. When a store is replaced under workers that run, two hold
// the same number with a chance of one in two thousand million for each that is
// under way.
func firstLease(seed int64) int64 { return int64(scatter(seed)>>33) + 1 }

// leasesLeftOut is at most a million: what is under way when a store is put back
// are some hundreds of leases at most, and the numbers last for ten thousand
// million starts.
func leasesLeftOut(seed int64) int64 { return int64(scatter(seed+1)>>44) + 1 }

// scatter is the finalizer of splitmix64 (Steele, Lea and Flood 2014).
func scatter(seed int64) uint64 {
	x := uint64(seed) + 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// Close ends the lead and closes the files. It is safe to call twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	if s.flush != nil {
		errs = append(errs, s.flush.stop())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.w != nil {
		errs = append(errs, s.w.close())
		s.w = nil
	}
	if s.lead != nil {
		errs = append(errs, s.lead.release())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close %s: %w", s.file, err)
	}
	return nil
}

// touchPrivate makes a file that only its owner can read, before SQLite makes
// it with the mask of the process.
func touchPrivate(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// openReaders is a small pool that can only read.
func openReaders(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(file, "mode=ro", "query_only(1)", "cache_size(-8192)", "mmap_size(268435456)"))
	if err != nil {
		return nil, fault("open "+file, err)
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	if err := db.PingContext(ctx); err != nil {
		return nil, fault("open "+file, errors.Join(err, db.Close()))
	}
	return db, nil
}
