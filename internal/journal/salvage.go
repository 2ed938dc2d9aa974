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

// A Salvage tells what became of a damaged journal at Open.
type Salvage struct {
	File       string // where the damaged file is now, with its log beside it
	Cause      string // how the damage showed
	Calls      int64  // carried over
	Events     int64  // carried over
	Lost       int64  // events that left a trace and could not be read
	Unreadable int64  // rows and pages of any kind
	Waiting    int64  // deliveries that are not settled
	Repeated   int64  // of those, the ones that may have been made before
}

// The names of what belongs to a repair, behind that of the journal.
const (
	partialSuffix = ".repairing" // the new journal, not whole yet
	wholeSuffix   = ".repaired-" // and a time: the new journal, whole
	asideSuffix   = ".damaged-"  // and that time: the damaged one
	markSuffix    = ".repair"    // damage was seen while the journal was in use

	stampFormat = "20060102T150405.000Z"
)

// String is the report in a line.
func (s Salvage) String() string {
	return fmt.Sprintf("%d events of %d calls carried over, %d known to be lost, %d rows or pages unreadable; the damaged file is kept as %s",
		s.Events, s.Calls, s.Lost, s.Unreadable, s.File)
}

// damage says what shows that the journal at path is damaged, without SQLite: it takes a log that breaks off for one
// that a crash cut short, and a file without its log for a whole one.
func damage(path string) (cause string, err error) {
	if there(path + markSuffix) {
		return "seen while it was in use", nil
	}
	if there(path + "-journal") {
		return "", nil // it was being made when the process died; SQLite undoes that
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
			return "the file is empty and its log is not", nil
		}
		return "", nil
	}
	if p.owner() == others {
		return "it says that it is another program's", nil
	}
	if n := p.lost(); n > 0 {
		return fmt.Sprintf("the log is broken before %d transactions", n), nil
	}
	if !there(path+"-wal") && there(path+"-shm") { // the log is made first and removed last
		return "the log is missing", nil
	}
	for n := p.inFile() + 1; n <= p.pages(); n++ {
		if _, ok := p.newer[n]; !ok {
			return fmt.Sprintf("the file ends before page %d", n), nil
		}
	}
	return "", nil
}

// there says whether there is anything at path.
func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// syncLog makes the log last that a killed process left: SQLite takes what is whole of it for committed, and goes on
// behind it.
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

// salvage makes a new journal of what can be read of the damaged one at o.Path, and puts the damaged one aside. It can be
// killed at any point: what it had not finished is finished or begun again at the next Open.
func salvage(ctx context.Context, o Options, cause string) (*Salvage, error) {
	o.Logger.Error("journal is damaged: repairing it", "file", o.Path, "cause", cause)
	if err := removeFiles(o.Path+partialSuffix, "", "-wal", "-shm", "-journal"); err != nil {
		return nil, err
	}
	stamp := time.Now().UTC().Format(stampFormat)
	report, err := carryOver(ctx, o)
	if err != nil { // it may have been for want of room
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

// carryOver builds the new journal beside the damaged one, and syncs it.
func carryOver(ctx context.Context, o Options) (report *Salvage, err error) {
	from, err := openPages(o.Path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	path := o.Path + partialSuffix
	if err := makeFile(path); err != nil {
		return nil, err
	}
	// Nothing is in it that cannot be made again, so nothing is synced before it is whole.
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
	c := carrier{conn: conn, from: from, options: o, keys: map[string]int64{}, callIDs: map[int64]string{}, names: map[uint32]map[int64]string{}}
	defer func() { err = errors.Join(err, closeStatements(c.prepared), conn.Close()) }()
	for _, do := range []func() error{
		func() error { return c.exec(ctx, "BEGIN") },
		func() error { return c.carry(ctx) },
		func() error { return step(o, "carried") },
		func() error { return c.exec(ctx, "COMMIT") },
	} {
		if err := do(); err != nil {
			return nil, explain("carry over", err)
		}
	}
	if owner := from.owner(); !c.ours && owner != ours && !from.blank() {
		return nil, ErrForeign
	}
	return &c.report, syncFile(path)
}

// blank says whether a file holds nothing, or less than what tells whose it is.
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

// finishSalvage puts the damaged journal aside and the new one in its place, if there is one that is whole.
func finishSalvage(o Options) error {
	whole, err := filepath.Glob(globbable(o.Path) + wholeSuffix + "*")
	if err != nil || len(whole) == 0 {
		return err
	}
	stamp := strings.TrimPrefix(whole[0], o.Path+wholeSuffix)
	// The log goes first: it must not be taken for that of the new journal.
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

// removeAside removes damaged journals that were put aside before a time: what was said is in them.
func removeAside(path string, before time.Time) error {
	aside, err := filepath.Glob(globbable(path) + asideSuffix + "*")
	if err != nil {
		return err
	}
	for _, file := range aside {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(file, path+asideSuffix), "-") // what follows is SQLite's
		if at, err := time.Parse(stampFormat, stamp); err == nil && at.Before(before) {
			if err := os.Remove(file); err != nil {
				return fmt.Errorf("%w: %w", ErrDisk, err)
			}
		}
	}
	return nil
}

// step fails where a test wants it to.
func step(o Options, name string) error {
	if o.step == nil {
		return nil
	}
	return o.step(name)
}

// globbable is path with what Glob would not take for itself.
func globbable(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// rename gives a file another name, and sees to it that this lasts.
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

// mark makes the next Open repair the journal. It is all that can be done for now: who appends goes on trying.
func (s *Store) mark(cause error) {
	if !errors.Is(cause, ErrDamaged) {
		return
	}
	s.mu.Lock()
	marked := s.marked
	s.marked = true
	s.mu.Unlock()
	if marked {
		return
	}
	err := errors.Join(os.WriteFile(s.options.Path+markSuffix, nil, 0o600), syncDirectory(filepath.Dir(s.options.Path)))
	s.logger.Error("journal is damaged: start again, and it is repaired", "cause", cause, "not_noted", err)
}
