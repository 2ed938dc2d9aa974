package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup copies the current state of the journal to a new file at path. Reads and appends go on. The copy is a
// journal that Open accepts; it appears under its name when it is complete and synced. If path exists, the error
// wraps fs.ErrExist.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("journal: backup: %w: %s", fs.ErrExist, path)
	}
	partial := path + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("journal: backup: %w", err)
	}
	defer func() {
		if err != nil {
			if e := os.Remove(partial); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	if err := s.copyTo(ctx, partial); err != nil {
		return err
	}
	f, err := os.Open(partial)
	if err != nil {
		return fmt.Errorf("journal: backup: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Chmod(partial, 0o600)); err != nil {
		return fmt.Errorf("journal: backup: %w", err)
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("journal: backup: %w", err)
	}
	return syncDirectory(filepath.Dir(path))
}

// copyTo writes a copy from one snapshot. It opens its own connection, because the reading connections are
// query-only.
func (s *Store) copyTo(ctx context.Context, path string) error {
	if s.missing() != "" {
		return s.copyOpen(ctx, path)
	}
	db, err := openDatabase(s.options.Path, "busy_timeout(10000) temp_store(memory)", 1)
	if err != nil {
		return err
	}
	if _, err = db.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		err = wrapSQLite("backup", err)
	}
	return errors.Join(err, db.Close())
}

// copyOpen writes a copy of the open database whose files are no longer at their paths. Appends wait for it.
func (s *Store) copyOpen(ctx context.Context, path string) error {
	t := &task{result: make(chan error, 1), do: func(w *writer) error {
		if _, err := w.conn.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
			return wrapSQLite("backup", err)
		}
		return nil
	}}
	if err := s.submit(ctx, t); err != nil {
		return err
	}
	return s.await(ctx, t.result)
}

// Check reads the whole database and returns an error that wraps ErrDamaged if it is damaged. It takes long on a
// large database. The next Open repairs the damage.
func (s *Store) Check(ctx context.Context) error {
	err := s.each(ctx, func(rows *sql.Rows) error {
		var verdict string
		if err := rows.Scan(&verdict); err != nil || verdict == "ok" {
			return err
		}
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}, `PRAGMA integrity_check(1)`)
	if err != nil {
		return err
	}
	return s.each(ctx, func(rows *sql.Rows) error {
		_, err := scanRecord(rows)
		return err
	}, `SELECT `+recordColumns+fromEvents)
}
