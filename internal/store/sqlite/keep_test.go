package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
)

// earlier is a state directory that the first version wrote.
func earlier(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/v1")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func schemaOf(t *testing.T, file string) (schema int64, batches int) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(file, "mode=ro"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT max(version_id), (SELECT count(*) FROM batch) FROM goose_db_version`).Scan(&schema, &batches); err != nil {
		t.Fatal(err)
	}
	return schema, batches
}

// TestEarlierStateIsKept: before a state is brought to this version's schema, a
// whole copy lies beside it; one that has that schema is not copied.
func TestEarlierStateIsKept(t *testing.T) {
	dir := earlier(t)
	file := filepath.Join(dir, fileName)
	_, batches := schemaOf(t, file)
	s := open(t, Options{Dir: dir})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if schema, n := schemaOf(t, file+".v1"); schema != 1 || n != batches {
		t.Errorf("the copy has schema %d and %d batches, want 1 and %d", schema, n, batches)
	}
	if info, err := os.Stat(file + ".v1"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy's mode: %v, %v", info, err)
	}
	if err := os.Remove(file + ".v1"); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir}) // again, and beside it a new store
	fresh := t.TempDir()
	open(t, Options{Dir: fresh})
	for _, where := range []string{dir, fresh} {
		if copies, err := filepath.Glob(filepath.Join(where, fileName+".v*")); err != nil || len(copies) > 0 {
			t.Errorf("copies without need: %v, %v", copies, err)
		}
	}
}

// TestNoCopyNoUpgrade: a state that cannot be copied stays as it is, and the
// error says what to do.
func TestNoCopyNoUpgrade(t *testing.T) {
	dir := earlier(t)
	file := filepath.Join(dir, fileName)
	if err := os.MkdirAll(filepath.Join(file+".v1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || !strings.Contains(e.Message, "schema 1") || !strings.Contains(e.Message, ".v1") || !strings.Contains(e.Hint, "nothing was changed") {
		t.Fatalf("opened with %v", err)
	}
	if schema, _ := schemaOf(t, file); schema != 1 {
		t.Errorf("the state has schema %d now", schema)
	}
	if _, err := os.Stat(file + ".v1.part"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part of a copy is left: %v", err)
	}
}
