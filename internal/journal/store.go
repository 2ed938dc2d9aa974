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

// A Store is a journal in a file. Make it with Open, and Close it. It has the methods of Memory, keeps what is
// settled too, and answers questions about it.
type Store struct {
	options Options
	logger  *slog.Logger
	lock    *lock
	files   []openFile // what Open opened; not changed after it
	write   *sql.DB    // one connection, the writer's
	read    *sql.DB

	queue chan op       // for the writer
	nudge chan struct{} // something is in later
	quit  chan struct{} // closed by Close
	done  chan struct{} // closed when the writer has ended
	close sync.Once
	work  sync.WaitGroup // the writer and the keeper

	clock watch // the keeper's

	mu       sync.Mutex // guards all below
	tail     tail
	wake     chan struct{} // closed and replaced when a record comes
	closed   bool
	later    []op // what can wait for the next commit
	attempts int  // of later; see Log
	last     int64
	stats    StoreStats
	trouble  error // of the last commit
	marked   bool  // damage was seen
	shouted  time.Time
}

// queueLimit bounds the events that wait for a commit. A call offers one at a time, so it is a number of calls; who
// comes then waits in Append.
const queueLimit = 4096

// Open opens the journal at o.Path, or makes it. There is no other path after a crash: what was committed is
// there, what was not is not. A journal that is damaged is repaired: all that can be read of it is carried into
// a new one, the damaged one is put aside, and Stats and Health tell. It returns ErrInUse, ErrForeign, ErrNewer or ErrDisk
// among others.
func Open(o Options) (_ *Store, err error) {
	o = o.withDefaults()
	if o.Path, err = filepath.Abs(o.Path); err != nil {
		return nil, err
	}
	s := &Store{
		options: o, logger: o.Logger,
		queue: make(chan op, queueLimit), nudge: make(chan struct{}, 1),
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
	w, err := s.openWhole(context.Background())
	if err != nil {
		return nil, err
	}
	s.last, s.tail = w.last, newTail(w.last)
	s.work.Go(w.run)
	s.clock = watch{maxAge: o.MaxAge, seen: w.newest}
	if err := s.look(time.Now(), 0); err != nil {
		s.logger.Error("journal does not get smaller", "error", err)
	}
	s.work.Go(s.keep)
	s.noteFiles()
	s.work.Go(s.watchFiles)
	return s, nil
}

// openWhole opens the databases, and repairs them if that shows that they are damaged.
func (s *Store) openWhole(ctx context.Context) (*writer, error) {
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
	s.marked = false
	return s.openDatabases(ctx)
}

// openDatabases opens the connections, and brings the file to today's version.
func (s *Store) openDatabases(ctx context.Context) (w *writer, err error) {
	path := s.options.Path
	if err := makeFile(path); err != nil {
		return nil, err
	}
	pragmas := writerPragmas
	if info, err := os.Stat(path); err == nil && info.Size() == 0 || there(path+"-journal") {
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

// Close takes no more events, writes what waits, ends every Read with ErrClosed and lets go of the file.
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

// release gives back what Open took, as far as it came.
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

// Append gives e its place and returns when it is on the disk, as surely as fsync makes it. An empty ID gets
// a new one, a zero Time is now, and Sequence is set whatever it was. If the ID was appended before and is still
// kept, nothing happens and the record of that time is returned.
//
// All who wait at the same time share one commit; nobody waits for a timer. It fails with ErrNotStored, ErrClosed
// or ErrDisk, or if e cannot be marshaled; then e has no place. When ctx ends first it returns ctx's error, and e
// may have a place or not: who wants to know appends it again.
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

// submit hands o to the writer.
func (s *Store) submit(ctx context.Context, o op) error {
	select { // the queue takes it although ctx or the journal has ended, unless this is asked first
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

// await waits for the writer's answer.
func (s *Store) await(ctx context.Context, result <-chan error) error {
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done: // it has answered all it saw
		select {
		case err := <-result:
			return err
		default:
			return ErrClosed
		}
	}
}

// known says whether name is an endpoint of ours.
func (s *Store) known(name string) bool {
	_, ok := slices.BinarySearch(s.options.Endpoints, name)
	return ok
}
