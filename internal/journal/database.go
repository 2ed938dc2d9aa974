package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite" // registers the driver, too
)

// What SQLite is asked for on each connection.
//
// WAL with synchronous=FULL syncs the log at each commit, so a commit that returned survives a power cut.
// secure_delete overwrites what is deleted: it was said by people. A checkpoint after each 4 MiB of log keeps
// the log short without a sync for every few commits.
//
// The connection that writes moves the log, and no other: beside it that makes Append no faster on a disk that has a queue, and
// SQLite before 3.51.3 can damage the file if two connections write and move at once (sqlite.org/wal.html#walresetbug).
const (
	writerPragmas = "journal_mode(wal) synchronous(full) secure_delete(on) " +
		"busy_timeout(10000) temp_store(memory) cache_size(-4000) wal_autocheckpoint(1000) journal_size_limit(67108864)"
	// newPragmas come first where nothing is in the file yet. In one that is in use SQLite would write something at each start.
	newPragmas    = "auto_vacuum(incremental) "
	readerPragmas = "busy_timeout(10000) query_only(on) temp_store(memory) cache_size(-2000)"
	// maxReaders bounds the connections that read, and with them the memory of their caches.
	maxReaders = 4
)

// openDatabase opens the file at path with pragmas and up to conns connections.
func openDatabase(path, pragmas string, conns int) (*sql.DB, error) {
	query := url.Values{"_pragma": strings.Fields(pragmas)}
	query.Set("mode", "rw") // an empty file is for makeFile to make
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(context.Background()); err != nil {
		return nil, errors.Join(explain("open", err), db.Close())
	}
	return db, nil
}

// openConnections opens all connections that db may have. One that is opened later opens whatever file is at its path then.
func openConnections(ctx context.Context, db *sql.DB, n int) error {
	var conns []*sql.Conn
	var errs []error
	for range n {
		c, err := db.Conn(ctx)
		if err != nil {
			errs = append(errs, explain("open", err))
			break
		}
		conns = append(conns, c)
		if _, err := c.ExecContext(ctx, `SELECT 1 FROM sqlite_master`); err != nil { // opens the files
			errs = append(errs, explain("open", err))
		}
	}
	for _, c := range conns {
		errs = append(errs, c.Close()) // it goes back
	}
	return errors.Join(errs...)
}

// makeDirectory makes the directory of path and syncs where it is named: a file whose directory is forgotten is
// lost with all that was synced into it.
func makeDirectory(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := syncDirectory(d); err != nil {
			return err
		}
	}
	return nil
}

// makeFile makes an empty file that nobody else may read: what callers said will be in it. The files that SQLite puts
// beside it get the same permissions.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, os.ErrPermission) {
		return nil // not ours; it was there before us
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// SQLite's result codes (sqlite.org/rescode.html), without what extends them.
const (
	codeError      = 1
	codeIOError    = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCannotOpen = 14
	codeReadOnly   = 8
	codeConstraint = 19
	codeNotADB     = 26

	codeCannotRead = codeIOError | 1<<8  // a page
	codeBadSum     = codeIOError | 33<<8 // the file system says that what it has is not what was written
)

// code is SQLite's primary result code in err, or 0.
func code(err error) int {
	return extendedCode(err) & 0xff
}

func extendedCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// DiskReason is what SQLite says of an error that wraps ErrDisk, without the names of files.
func DiskReason(err error) string {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return "the disk does not take it"
}

// explain wraps an error of SQLite in the sentinel that a caller can test for.
func explain(doing string, err error) error {
	switch code(err) {
	case codeIOError:
		if c := extendedCode(err); c == codeCannotRead || c == codeBadSum {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, doing, err)
		}
		return fmt.Errorf("%w: %s: %w", ErrDisk, doing, err)
	case codeFull, codeReadOnly, codeCannotOpen:
		return fmt.Errorf("%w: %s: %w", ErrDisk, doing, err)
	case codeCorrupt, codeNotADB:
		return fmt.Errorf("%w: %s: %w", ErrDamaged, doing, err)
	}
	return fmt.Errorf("journal: %s: %w", doing, err)
}
