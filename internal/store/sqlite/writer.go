package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

// dsn is a database file with pragmas; busy_timeout is always the first.
func dsn(file, mode string, pragmas ...string) string {
	q := "_pragma=busy_timeout(250)"
	for _, p := range pragmas {
		q += "&_pragma=" + p
	}
	u := url.URL{Scheme: "file", Path: file, OmitHost: true, RawQuery: mode + "&_txlock=immediate&_error_rc=1&" + q}
	if strings.HasPrefix(file, "/") {
		return u.String()
	}
	u.Path, u.Opaque = "", (&url.URL{Path: file}).EscapedPath()
	return u.String()
}

// writer is the one connection that writes. It speaks to the driver without
// database/sql between them, whose cost per statement is that of a row.
type writer struct {
	conn  driver.Conn
	stmts map[string]driver.Stmt // prepared once, by their text
	args  []driver.NamedValue    // reused; holds one statement's arguments

	updates *updates
}

func openWriter(ctx context.Context, file string) (*writer, error) {
	// A checkpoint on this connection is the last resort: see flusher. 32 MiB of
	// log (8192 pages) is also what may be left in the file afterwards.
	c, err := sqlite.NewConnector(dsn(file, "mode=rw", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
		"wal_autocheckpoint(8192)", "journal_size_limit(33554432)", "cache_size(-16384)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, fault("open "+file, err)
	}
	conn, err := c.Connect(ctx)
	if err != nil {
		return nil, fault("open "+file, err)
	}
	return &writer{conn: conn, stmts: map[string]driver.Stmt{}, updates: newUpdates()}, nil
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

func (w *writer) prepare(query string) (driver.Stmt, error) {
	if s, ok := w.stmts[query]; ok {
		return s, nil
	}
	s, err := w.conn.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	w.stmts[query] = s
	return s, nil
}

// bind gives room for n arguments.
func (w *writer) bind(n int) []driver.NamedValue {
	for len(w.args) < n {
		w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1})
	}
	return w.args[:n]
}

// run executes a statement with arguments from bind and returns how many rows
// it changed. It is not interrupted: a commit ends, one way or the other.
func (w *writer) run(query string, args []driver.NamedValue) (int64, error) {
	s, err := w.prepare(query)
	if err != nil {
		return 0, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(context.Background(), args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// exec is run with arguments of the types that drivers know.
func (w *writer) exec(query string, values ...any) (int64, error) {
	args := w.bind(len(values))
	for i, v := range values {
		args[i].Value = v
	}
	return w.run(query, args)
}

// number reads one integer.
func (w *writer) number(query string, values ...any) (int64, error) {
	row, err := w.row(query, 1, values...)
	if err != nil {
		return 0, err
	}
	n, ok := row[0].(int64)
	if !ok {
		return 0, fmt.Errorf("%.60q: want an integer, got %T", query, row[0])
	}
	return n, nil
}

// row reads the first row; io.EOF if there is none.
func (w *writer) row(query string, columns int, values ...any) (_ []driver.Value, err error) {
	s, err := w.prepare(query)
	if err != nil {
		return nil, err
	}
	args := w.bind(len(values))
	for i, v := range values {
		args[i].Value = v
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), args)
	if err != nil {
		return nil, err
	}
	dest := make([]driver.Value, columns)
	err = rows.Next(dest)
	if closed := rows.Close(); err == nil || errors.Is(err, io.EOF) {
		err = errors.Join(err, closed)
	}
	return dest, err
}
