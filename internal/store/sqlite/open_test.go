package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// refused checks an error's code, and that message and hint match.
func refused(t *testing.T, err error, code candor.Code, message, hint string) {
	t.Helper()
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	for pattern, text := range map[string]string{message: err.Error(), hint: e.Hint} {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%q does not match %q", text, pattern)
		}
	}
}

func TestSecondLeaderIsToldWhoLeads(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir, Address: "http://127.0.0.1:7411"})
	_, err := Open(t.Context(), Options{Dir: dir})
	host, _ := os.Hostname()
	refused(t, err, candor.CodeLocked,
		fmt.Sprintf(`led by pid %d on %s since \d{4}-\d\d-\d\d \d\d:\d\d, at http://127.0.0.1:7411$`, os.Getpid(), regexp.QuoteMeta(host)), `--state DIR`)
}

func TestLeadIsFreeAfterClose(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Options{Dir: dir, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	err = first.Commit(t.Context(), &sched.Changes{Revision: 1})
	refused(t, err, candor.CodeUnavailable, "closed", "")
	second := open(t, Options{Dir: dir, Seed: 4})
	if first.epoch >= second.epoch {
		t.Errorf("epoch %d is not above %d", second.epoch, first.epoch)
	}
	snap, err := second.Load(t.Context())
	if err != nil || snap.Meta.NextTask != candor.TaskID(firstID(3)) {
		t.Errorf("another seed changed where ids start: %v, %v", snap, err)
	}
	if m := snap.Meta; m.NextLease != firstLease(3)+leasesLeftOut(3)+leasesLeftOut(4) || m.FirstLease != firstLease(3) || m.NextSession != firstLease(3) || firstLease(3) == firstLease(4) {
		t.Errorf("leases and sessions of a store begin with a number of its own: %+v", m)
	}
}

func TestUnreadableLockSaysLittle(t *testing.T) {
	for _, text := range []string{"", "x", "a b c", "1 host yesterday", "\x00\x00 \xff"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, lockName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readLead(dir).String(); got != "led by another process" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has no modes
	}
	dir := filepath.Join(t.TempDir(), "a", "state")
	open(t, Options{Dir: dir})
	for name, want := range map[string]os.FileMode{"": 0o700 | os.ModeDir, fileName: 0o600, lockName: 0o600, fileName + "-wal": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%q: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestPragmas(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	for pragma, want := range map[string]int64{"synchronous": 2, "foreign_keys": 1, "auto_vacuum": 2, "busy_timeout": 250} {
		if got, err := s.w.number("PRAGMA " + pragma); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", pragma, got, err, want)
		}
	}
	var mode string
	if err := s.db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode: %s, %v", mode, err)
	}
	if _, err := s.db.Exec("DELETE FROM meta"); primary(err) != sqliteReadOnly {
		t.Errorf("a reader can write: %v", err)
	}
}

func TestDirectoriesWithOddNames(t *testing.T) {
	for _, name := range []string{"a b", "50%", "a?b#c", "ü&x=1"} {
		s := open(t, Options{Dir: filepath.Join(t.TempDir(), name)})
		if _, err := os.Stat(s.file); err != nil {
			t.Error(err)
		}
	}
}

func TestRelativeDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	open(t, Options{Dir: "state"})
	if _, err := os.Stat(filepath.Join("state", fileName)); err != nil {
		t.Error(err)
	}
}

func TestReadOnlyStandsBesideALeader(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), Options{Dir: filepath.Join(dir, "none"), ReadOnly: true})
	refused(t, err, candor.CodeNotFound, "no candor state", "--state")
	leader := open(t, Options{Dir: dir})
	guest := open(t, Options{Dir: dir, ReadOnly: true})
	if err := leader.Commit(t.Context(), &sched.Changes{Revision: 1, Meta: sched.Meta{NextTask: 9, NextBatch: 9, NextLease: 9, NextSession: 9, NextEvent: 9},
		NewBatches: []sched.BatchRecord{{ID: 8, Name: "b", State: candor.BatchActive, CreatedAt: noon}}}); err != nil {
		t.Fatal(err)
	}
	if b, err := guest.Batch(t.Context(), 8); err != nil || b.Name != "b" {
		t.Errorf("the guest reads %v, %v", b, err)
	}
	refused(t, guest.Commit(t.Context(), &sched.Changes{Revision: 2}), candor.CodeUnsupported, "reading only", "")
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	if _, err := s.w.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir, ReadOnly: true})
	refused(t, err, candor.CodeUnsupported, "newer candor: its schema is 999", "later one")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Dir: dir})
	refused(t, err, candor.CodeUnsupported, "newer candor: its schema is 999", "later one")
}

func TestEarlierSchemaIsNotReadHalfway(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id INTEGER, is_applied INTEGER); INSERT INTO goose_db_version VALUES (1, 0, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Dir: dir, ReadOnly: true})
	refused(t, err, candor.CodeUnsupported, "schema 0, an earlier one", "brain")
}

func TestWhatIsNoDatabaseIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	refused(t, err, candor.CodeInternal, "damaged", "recover")
}

func TestCancelledCommitIsNotBegun(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused(t, s.Commit(ctx, &sched.Changes{Revision: 1}), candor.CodeInterrupted, "not begun", "")
}

func TestStatsTellTheUsualFromTheLast(t *testing.T) {
	var p pace
	for range 20 {
		p.note(4 * time.Millisecond)
	}
	p.note(9800 * time.Millisecond)
	s := Store{}
	s.pace.recent, s.pace.count = p.recent, p.count
	if st := s.Stats(); st.Commits != 21 || st.Last != 9800*time.Millisecond || st.Usual != 4*time.Millisecond || st.Waiting {
		t.Errorf("%+v", st)
	}
}
