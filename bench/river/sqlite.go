package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver registers itself
)

// measureSQLite measures on a fresh database file in dir. One connection, as
// River's driver documents: more only meet each other's locks.
func measureSQLite(ctx context.Context, dir string, set settings) (results []result, err error) {
	query := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "river.db")+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	return measureOn(ctx, riversqlite.New(db), set)
}
