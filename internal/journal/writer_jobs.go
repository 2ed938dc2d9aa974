package journal

import (
	"context"
	"errors"
)

// A job is any other work for the writer in its transaction. A caller waits for the result.
type job struct {
	do     func(w *writer) error
	result chan error
}

func (j *job) apply(w *writer) error {
	if j.do == nil {
		return nil
	}
	return j.do(w)
}

func (j *job) done(_ *writer, err error) { j.result <- err }

// A task is work for the writer outside of a transaction, after the batch that it was queued with.
type task struct {
	do     func(w *writer) error
	result chan error
}

func (*task) apply(*writer) error { return nil }

func (t *task) done(w *writer, err error) {
	if err == nil {
		err = t.do(w)
	}
	t.result <- err
}

// change runs do in a transaction and waits for its commit.
func (s *Store) change(ctx context.Context, do func(w *writer) error) error {
	j := &job{do: do, result: make(chan error, 1)}
	if err := s.submit(ctx, j); err != nil {
		return err
	}
	return s.await(ctx, j.result)
}

// flush returns when all operations deferred before are committed, or when a write to the disk failed.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	n := len(s.deferred)
	s.mu.Unlock()
	for range 1 + n/maxDeferred { // at least once, for operations that the writer has already taken
		if err := s.change(ctx, nil); err != nil && !errors.Is(err, ErrDisk) {
			return err
		}
	}
	return nil
}
