package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"candor"
)

// reader answers questions about what is committed.
type reader struct {
	db    *sql.DB // a pool that can only read
	place place
}

// view runs f on one committed state.
func (r *reader) view(ctx context.Context, doing string, f func(tx *sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if primary(err) == sqliteCantOpen {
		err = cmp.Or(r.place.left(), err)
	}
	if err != nil {
		return fault(doing, err)
	}
	err = f(tx)
	// Nothing was written: ending the transaction can lose nothing.
	_ = tx.Rollback()
	return fault(doing, err)
}

// each calls f for each row of a query.
func each(ctx context.Context, tx *sql.Tx, f func(rows *sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

// errEnough ends each early.
var errEnough = errors.New("enough")

// found turns a missing row into candor.CodeNotFound.
func found(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &candor.Error{Code: candor.CodeNotFound, Message: "no " + what, Hint: "candor ls shows what there is"}
	}
	return err
}

func limit(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}
