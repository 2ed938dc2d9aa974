package journal

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"aldeabridge/events"
)

// A Store is a journal in an SQLite database. Make it with Open, and Close it. It has the methods of Memory, keeps
// settled records too, and has queries for them.
type Store struct {
	options Options
	logger  *slog.Logger
	lock    *lock
	files   []openFile // opened by Open; not changed after it
	write   *sql.DB    // one connection, the writer's
	read    *sql.DB

	queue          chan op       // for the writer
	deferredSignal chan struct{} // signals that deferred is not empty
	quit           chan struct{} // closed by Close
	done           chan struct{} // closed when the writer has ended
	close          sync.Once
	work           sync.WaitGroup // the goroutines of the store

	clock clockMonitor // used by the retention goroutine only

	mu          sync.Mutex // guards the fields below
	recent      recentRecords
	wake        chan struct{} // closed and replaced when a record is appended
	closed      bool
	deferred    []op // deferred operations: they can wait for the next commit
	attempts    int  // number of attempts in deferred; see Log
	last        int64
	stats       StoreStats
	writeError  error // of the last commit
	damaged     bool  // damage was detected
	lastWarning time.Time
}

// queueLimit bounds the operations that wait for a commit. A call appends one event at a time, so this is a number of
// calls; further ones block in Append.
const queueLimit = 4096

// Open opens the journal at o.Path, or creates it. After a crash, all committed transactions are there and no others.
// A damaged journal is repaired: the readable data is copied to a new file, the damaged file is set aside, and Stats
// and Health report it. Open fails with ErrInUse, ErrForeign, ErrNewer or ErrDisk, among others.
func Open(o Options) (_ *Store, err error) {
	o = o.withDefaults()
	if o.Path, err = filepath.Abs(o.Path); err != nil {
		return nil, err
	}
	s := &Store{
		options: o, logger: o.Logger,
		queue: make(chan op, queueLimit), deferredSignal: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := makeDirectory(o.Path); err != nil {
		return nil, err
	}
	if s.lock, err = takeLock(o.Path + ".lock"); err != nil {
		return nil, err
	}
	w, err := s.openRepaired(context.Background())
	if err != nil {
		return nil, err
	}
	s.last, s.recent = w.last, newRecentRecords(w.last)
	s.work.Go(w.run)
	s.clock = clockMonitor{maxAge: o.MaxAge, seen: w.newest}
	if err := s.checkClock(time.Now(), 0); err != nil {
		s.logger.Error("journal cleanup failed", "error", err)
	}
	s.work.Go(s.runRetention)
	s.recordFiles()
	s.work.Go(s.watchFiles)
	return s, nil
}

// openRepaired opens the databases, and repairs them if they are damaged.
func (s *Store) openRepaired(ctx context.Context) (*writer, error) {
	path := s.options.Path
	if err := finishSalvage(s.options); err != nil {
		return nil, err
	}
	cause, err := damage(path)
	if err != nil {
		return nil, err
	}
	if cause == "" {
		w, err := s.openDatabases(ctx)
		if !errors.Is(err, ErrDamaged) {
			return w, err
		}
		cause = err.Error()
		if err := s.closeDatabases(); err != nil {
			s.logger.Debug("damaged journal did not close", "error", err)
		}
	}
	if s.stats.Salvage, err = salvage(ctx, s.options, cause); err != nil {
		return nil, err
	}
	s.damaged = false
	return s.openDatabases(ctx)
}

// openDatabases opens the connections and applies migrations.
func (s *Store) openDatabases(ctx context.Context) (w *writer, err error) {
	path := s.options.Path
	if err := makeFile(path); err != nil {
		return nil, err
	}
	pragmas := writerPragmas
	if info, err := os.Stat(path); err == nil && info.Size() == 0 || exists(path+"-journal") {
		pragmas = newPragmas + pragmas
	}
	if s.write, err = openDatabase(path, pragmas, 1); err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.write); err != nil {
		return nil, err
	}
	if s.read, err = openDatabase(path, readerPragmas, maxReaders); err != nil {
		return nil, err
	}
	if err := openConnections(ctx, s.read, maxReaders); err != nil {
		return nil, err
	}
	return newWriter(ctx, s)
}

// Close refuses new events, writes the queued ones, ends every Read with ErrClosed and closes the files.
func (s *Store) Close() (err error) {
	s.close.Do(func() {
		s.mu.Lock()
		s.closed = true
		close(s.wake)
		s.mu.Unlock()
		close(s.quit)
		s.work.Wait()
		err = errors.Join(s.rewrite(), s.release())
	})
	return err
}

// release frees the resources of Open, also after a partial Open.
func (s *Store) release() error {
	err := s.closeDatabases()
	if s.lock != nil {
		err = errors.Join(err, s.lock.release())
	}
	return err
}

func (s *Store) closeDatabases() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	s.read, s.write = nil, nil
	return errors.Join(errs...)
}

// Append stores e and returns when it is synced to the disk. An empty ID gets a new one, a zero Time is set to now,
// and Sequence is always set. If the ID was appended before and is still stored, Append returns the first record.
//
// Concurrent appends share one commit, without waiting for a timer. Append fails with ErrNotStored, ErrClosed or
// ErrDisk, or if e cannot be marshaled; then e is not stored. When ctx ends first it returns ctx's error, and e may
// be stored or not: append it again to find out.
func (s *Store) Append(ctx context.Context, e events.Event) (events.Record, error) {
	if e.Body == nil || !e.Body.Stored() {
		return events.Record{}, ErrNotStored
	}
	a := &appendOp{event: e, result: make(chan error, 1)}
	if err := s.submit(ctx, a); err != nil {
		return events.Record{}, err
	}
	if err := s.await(ctx, a.result); err != nil {
		return events.Record{}, err
	}
	return a.record, nil
}

// submit queues o for the writer.
func (s *Store) submit(ctx context.Context, o op) error {
	select { // check first: the next select may pick the queue although ctx or the journal has ended
	case <-s.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	select {
	case s.queue <- o:
		return nil
	case <-s.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits for the writer's result.
func (s *Store) await(ctx context.Context, result <-chan error) error {
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done: // the writer has sent all its results
		select {
		case err := <-result:
			return err
		default:
			return ErrClosed
		}
	}
}

// isEndpoint reports whether name is a configured endpoint.
func (s *Store) isEndpoint(name string) bool {
	_, ok := slices.BinarySearch(s.options.Endpoints, name)
	return ok
}
