package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Salvage reports the repair of a damaged journal by Open.
type Salvage struct {
	File       string // path of the damaged file, with its WAL beside it
	Cause      string // how the damage was detected
	Calls      int64  // restored
	Events     int64  // restored
	Lost       int64  // events known to have existed that could not be read
	Unreadable int64  // rows and pages of any kind
	Waiting    int64  // unsettled deliveries
	Repeated   int64  // of those, deliveries that may have been made before
}

// The suffixes of files that belong to a repair.
const (
	partialSuffix = ".repairing" // the new journal, incomplete
	wholeSuffix   = ".repaired-" // and a time: the new journal, complete
	asideSuffix   = ".damaged-"  // and the same time: the damaged journal
	markSuffix    = ".repair"    // damage was detected while the journal was in use

	stampFormat = "20060102T150405.000Z"
)

// String returns the report as one line.
func (s Salvage) String() string {
	return fmt.Sprintf("%d events of %d calls restored, %d known to be lost, %d rows or pages unreadable; the damaged file is kept as %s",
		s.Events, s.Calls, s.Lost, s.Unreadable, s.File)
}

// damage returns why the journal at path is damaged, or an empty string. It checks for damage that SQLite does not
// detect: SQLite takes a broken WAL for one that a crash cut short, and a database without its WAL for a complete
// one.
func damage(path string) (cause string, err error) {
	if exists(path + markSuffix) {
		return "detected while it was in use", nil
	}
	if exists(path + "-journal") {
		return "", nil // the process died while creating it; SQLite rolls that back
	}
	if err := syncLog(path + "-wal"); err != nil {
		return "", err
	}
	p, err := openPages(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if p.bytes == 0 {
		if len(p.tail.committed)+len(p.tail.beyond) > 0 {
			return "the file is empty and its WAL is not", nil
		}
		return "", nil
	}
	if p.owner() == foreign {
		return "its header is that of another program", nil
	}
	if n := p.lost(); n > 0 {
		return fmt.Sprintf("the WAL is broken before %d transactions", n), nil
	}
	if !exists(path+"-wal") && exists(path+"-shm") { // SQLite creates the WAL first and removes it last
		return "the WAL is missing", nil
	}
	for n := p.inFile() + 1; n <= p.pages(); n++ {
		if _, ok := p.newer[n]; !ok {
			return fmt.Sprintf("the file ends before page %d", n), nil
		}
	}
	return "", nil
}

// exists reports whether a file exists at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// syncLog syncs a WAL that a killed process left: SQLite treats its intact transactions as committed, and appends
// after them.
func syncLog(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	return nil
}

// salvage builds a new journal from the readable data of the damaged one at o.Path, and sets the damaged one aside.
// It can be interrupted at any point: the next Open finishes or restarts it.
func salvage(ctx context.Context, o Options, cause string) (*Salvage, error) {
	o.Logger.Error("journal is damaged: repairing it", "file", o.Path, "cause", cause)
	if err := removeFiles(o.Path+partialSuffix, "", "-wal", "-shm", "-journal"); err != nil {
		return nil, err
	}
	stamp := time.Now().UTC().Format(stampFormat)
	report, err := restore(ctx, o)
	if err != nil { // perhaps because the disk is full
		return nil, errors.Join(fmt.Errorf("journal: repair: %w", err), removeFiles(o.Path+partialSuffix, "", "-wal", "-shm", "-journal"))
	}
	report.File, report.Cause = o.Path+asideSuffix+stamp, cause
	if err := step(o, "rename"); err != nil {
		return nil, err
	}
	if err := rename(o.Path+partialSuffix, o.Path+wholeSuffix+stamp); err != nil {
		return nil, err
	}
	if err := finishSalvage(o); err != nil {
		return nil, err
	}
	o.Logger.Error("journal was damaged and is repaired", "cause", cause, "calls", report.Calls, "events", report.Events, "lost", report.Lost,
		"unreadable", report.Unreadable, "waiting", report.Waiting, "delivered_perhaps_twice", report.Repeated, "damaged_file", report.File)
	return report, nil
}

// restore builds the new journal beside the damaged one, and syncs it.
func restore(ctx context.Context, o Options) (report *Salvage, err error) {
	from, err := openPages(o.Path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	path := o.Path + partialSuffix
	if err := makeFile(path); err != nil {
		return nil, err
	}
	// The file can be built again, so it is synced only when it is complete.
	db, err := openDatabase(path, "auto_vacuum(incremental) journal_mode(off) synchronous(off) cache_size(-64000)", 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := salvager{conn: conn, from: from, options: o, keys: map[string]int64{}, callIDs: map[int64]string{}, names: map[uint32]map[int64]string{}}
	defer func() { err = errors.Join(err, closeStatements(c.prepared), conn.Close()) }()
	for _, do := range []func() error{
		func() error { return c.exec(ctx, "BEGIN") },
		func() error { return c.copyPages(ctx) },
		func() error { return step(o, "carried") },
		func() error { return c.exec(ctx, "COMMIT") },
	} {
		if err := do(); err != nil {
			return nil, wrapSQLite("restore", err)
		}
	}
	if owner := from.owner(); !c.isJournal && owner != ours && !from.blank() {
		return nil, ErrForeign
	}
	return &c.report, syncFile(path)
}

// blank reports whether the file is empty, or too short to identify its owner.
func (p *pageFile) blank() bool {
	for n := uint32(1); n <= p.inFile(); n++ {
		page := p.stored(n)
		if n == 1 && p.bytes < headerSize && strings.HasPrefix(magic, string(page[:min(p.bytes, int64(len(magic)))])) {
			return true
		}
		if len(bytes.Trim(page, "\x00")) > 0 {
			return false
		}
	}
	return true
}

// finishSalvage sets the damaged journal aside and moves a complete new one to its path, if there is one.
func finishSalvage(o Options) error {
	whole, err := filepath.Glob(escapeGlob(o.Path) + wholeSuffix + "*")
	if err != nil || len(whole) == 0 {
		return err
	}
	stamp := strings.TrimPrefix(whole[0], o.Path+wholeSuffix)
	// Move the WAL first, so that SQLite does not apply it to the new journal.
	for _, suffix := range []string{"-wal", "-journal", ""} {
		if err := step(o, "aside"+suffix); err != nil {
			return err
		}
		err := rename(o.Path+suffix, o.Path+asideSuffix+stamp+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := removeFiles(o.Path, "-shm", markSuffix); err != nil {
		return err
	}
	if err := step(o, "replace"); err != nil {
		return err
	}
	return rename(whole[0], o.Path)
}

// removeAside removes damaged journals that were set aside before a time, because they contain transcripts.
func removeAside(path string, before time.Time) error {
	aside, err := filepath.Glob(escapeGlob(path) + asideSuffix + "*")
	if err != nil {
		return err
	}
	for _, file := range aside {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(file, path+asideSuffix), "-") // SQLite's suffix follows
		if at, err := time.Parse(stampFormat, stamp); err == nil && at.Before(before) {
			if err := os.Remove(file); err != nil {
				return fmt.Errorf("%w: %w", ErrDisk, err)
			}
		}
	}
	return nil
}

// step lets tests interrupt a repair.
func step(o Options, name string) error {
	if o.step == nil {
		return nil
	}
	return o.step(name)
}

// escapeGlob escapes the special characters of filepath.Glob.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// rename renames a file and syncs the directory.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("journal: repair: %w", err)
	}
	return syncDirectory(filepath.Dir(to))
}

func removeFiles(path string, suffixes ...string) error {
	for _, suffix := range suffixes {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("journal: repair: %w", err)
		}
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("journal: repair: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// markDamaged makes the next Open repair the journal if cause is ErrDamaged. Until then, appends are still tried.
func (s *Store) markDamaged(cause error) {
	if !errors.Is(cause, ErrDamaged) {
		return
	}
	s.mu.Lock()
	marked := s.damaged
	s.damaged = true
	s.mu.Unlock()
	if marked {
		return
	}
	err := errors.Join(os.WriteFile(s.options.Path+markSuffix, nil, 0o600), syncDirectory(filepath.Dir(s.options.Path)))
	s.logger.Error("journal is damaged: restart bridge to repair it", "cause", cause, "not_noted", err)
}
