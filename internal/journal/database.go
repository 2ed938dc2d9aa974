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

// The pragmas of the connections.
//
// WAL with synchronous=FULL syncs the WAL at each commit, so a commit that returned survives a power cut.
// secure_delete overwrites deleted data, because it is private. A checkpoint after each 4 MiB keeps the WAL short
// without a sync every few commits.
//
// Only the writing connection checkpoints. A checkpoint on a second connection does not make Append faster on a disk
// with a queue, and SQLite before 3.51.3 can damage the file if two connections write and checkpoint at the same time
// (sqlite.org/wal.html#walresetbug).
const (
	writerPragmas = "journal_mode(wal) synchronous(full) secure_delete(on) " +
		"busy_timeout(10000) temp_store(memory) cache_size(-4000) wal_autocheckpoint(1000) journal_size_limit(67108864)"
	// newPragmas are put first for an empty file. In an existing file SQLite would write at each start.
	newPragmas    = "auto_vacuum(incremental) "
	readerPragmas = "busy_timeout(10000) query_only(on) temp_store(memory) cache_size(-2000)"
	// maxReaders bounds the reading connections, and so the memory of their caches.
	maxReaders = 4
)

// openDatabase opens the file at path with pragmas and up to conns connections.
func openDatabase(path, pragmas string, conns int) (*sql.DB, error) {
	query := url.Values{"_pragma": strings.Fields(pragmas)}
	query.Set("mode", "rw") // makeFile creates the file
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(context.Background()); err != nil {
		return nil, errors.Join(wrapSQLite("open", err), db.Close())
	}
	return db, nil
}

// openConnections opens n connections in advance. A connection opened later would open whatever file is at the path
// by then.
func openConnections(ctx context.Context, db *sql.DB, n int) error {
	var conns []*sql.Conn
	var errs []error
	for range n {
		c, err := db.Conn(ctx)
		if err != nil {
			errs = append(errs, wrapSQLite("open", err))
			break
		}
		conns = append(conns, c)
		if _, err := c.ExecContext(ctx, `SELECT 1 FROM sqlite_master`); err != nil { // opens the files
			errs = append(errs, wrapSQLite("open", err))
		}
	}
	for _, c := range conns {
		errs = append(errs, c.Close()) // returns it to the pool
	}
	return errors.Join(errs...)
}

// makeDirectory creates the directory of path and syncs its parent: without that, a power cut can lose the directory
// with all files in it.
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

// makeFile creates an empty file that only its owner can read, because it will hold transcripts. SQLite gives the
// same permissions to the files that it puts beside it.
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
		return nil // not our directory: it existed before
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// SQLite's primary result codes (sqlite.org/rescode.html), and two extended ones.
const (
	codeError      = 1
	codeIOError    = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCannotOpen = 14
	codeReadOnly   = 8
	codeConstraint = 19
	codeNotADB     = 26

	codeCannotRead = codeIOError | 1<<8  // a page cannot be read
	codeBadSum     = codeIOError | 33<<8 // checksum error of the file system
)

// code returns SQLite's primary result code of err, or 0.
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

// DiskReason returns SQLite's text for an error that wraps ErrDisk. It contains no file names.
func DiskReason(err error) string {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return "a write to the disk failed"
}

// wrapSQLite wraps an SQLite error in the sentinel error that callers test for.
func wrapSQLite(doing string, err error) error {
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
