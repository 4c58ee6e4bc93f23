package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"candor"
)

//go:embed migrations/*.sql
var migrations embed.FS

// provider runs our migrations on db.
func provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, dir)
}

// migrate brings a database to the schema of this version, and keeps a copy of
// one that has an earlier schema.
func migrate(ctx context.Context, file string) (err error) {
	// The vacuum mode must be set before the first table is there: pages that
	// pruning frees can then be given back to the file system.
	db, err := sql.Open("sqlite", dsn(file, "mode=rw", "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"))
	if err != nil {
		return fault("open "+file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	p, err := provider(db)
	if err != nil {
		return fault("read the migrations", err)
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fault("read the schema of "+file, err)
	}
	if err := tooNew(has, known(p)); err != nil {
		return err
	}
	if has > 0 && has < known(p) {
		if err := keep(ctx, db, file, has); err != nil {
			return err
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fault("bring "+file+" to this version's schema", err)
	}
	return nil
}

func known(p *goose.Provider) int64 {
	list := p.ListSources()
	return list[len(list)-1].Version
}

// checkVersion refuses a database that a reader of this version does not
// understand; it changes nothing.
func checkVersion(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return fault("read the migrations", err)
	}
	var has int64
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&has); err != nil {
		return fault("read the schema", err)
	}
	if has < known(p) {
		return &candor.Error{
			Code:    candor.CodeUnsupported,
			Message: fmt.Sprintf("the state has schema %d, an earlier one than this candor's %d", has, known(p)),
			Hint:    "start this version's brain on it once: it brings the state up to date",
		}
	}
	return tooNew(has, known(p))
}

func tooNew(has, known int64) error {
	if has <= known {
		return nil
	}
	return &candor.Error{
		Code:    candor.CodeUnsupported,
		Message: fmt.Sprintf("the state was written by a newer candor: its schema is %d, this one knows %d", has, known),
		Hint:    "use that version or a later one; there is no way back",
	}
}
