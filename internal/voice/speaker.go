package voice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// A Speaker makes speech with an engine. It is safe for concurrent use. Make it with NewSpeaker.
type Speaker struct {
	// Logger logs panics of the engine. Set it before the first Say. Nil logs nothing.
	Logger *slog.Logger

	engine Engine
	cache  *Cache
	ctx    context.Context
	cancel context.CancelFunc
	makers sync.WaitGroup

	mu     sync.Mutex // guards the rest
	making map[string]*recording
	closed bool
}

// NewSpeaker returns a Speaker that keeps complete speech in cache, or nothing if cache is nil.
func NewSpeaker(engine Engine, cache *Cache) *Speaker {
	s := &Speaker{engine: engine, cache: cache, making: map[string]*recording{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Say starts to make the speech of a text and does not wait for it. The caller must close the Audio or end ctx. The error is
// about the request; the engine's errors are *Errors from Next.
func (s *Speaker) Say(ctx context.Context, r Request) (*Audio, error) {
	r, err := r.clean()
	if err != nil {
		return nil, err
	}
	key := keyOf(s.engine.Identity(), r)
	if audio := s.join(ctx, key); audio != nil {
		return audio, nil
	}
	if s.cache != nil {
		if audio, words, ok := s.cache.get(key); ok {
			return complete(audio, words).listen(ctx), nil
		}
	}
	return s.begin(ctx, key, r)
}

// join returns a reader of the same speech if it is being made, or nil.
func (s *Speaker) join(ctx context.Context, key string) *Audio {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joinLocked(ctx, key)
}

func (s *Speaker) joinLocked(ctx context.Context, key string) *Audio {
	if r := s.making[key]; r != nil {
		return r.listen(ctx)
	}
	return nil
}

func (s *Speaker) begin(ctx context.Context, key string, r Request) (*Audio, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if audio := s.joinLocked(ctx, key); audio != nil { // another call began it since
		return audio, nil
	}
	making, cancel := context.WithCancel(s.ctx)
	rec := newRecording(cancel)
	audio := rec.listen(ctx)
	s.making[key] = rec
	s.makers.Go(func() {
		defer cancel()
		s.make(making, key, r, rec)
	})
	return audio, nil
}

// make makes the speech of a request, and caches it if it is complete.
func (s *Speaker) make(ctx context.Context, key string, r Request, rec *recording) {
	err := recoverPanics(s.Logger, func() error { return s.speak(ctx, r, rec) })
	switch {
	case err != nil && s.ctx.Err() != nil:
		err = ErrClosed
	case errors.Is(err, ErrEmpty), errors.Is(err, ErrTooLong), errors.Is(err, ErrPanicked):
		err = fmt.Errorf("voice: %w", err)
	}
	rec.finish(err)
	if err == nil && s.cache != nil {
		_ = recoverPanics(s.Logger, func() error { s.cache.put(key, rec); return nil })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.making[key] == rec {
		delete(s.making, key)
	}
}

// speak fills rec with the engine's speech and closes the engine's stream, also after a panic.
func (s *Speaker) speak(ctx context.Context, r Request, rec *recording) (err error) {
	stream, err := s.engine.Speak(ctx, r)
	if err != nil {
		return err
	}
	defer func() {
		if closing := stream.Close(); err == nil {
			err = closing
		}
	}()
	return rec.fill(stream)
}

// Close stops all synthesis, waits for it to end, and closes the engine if it is an io.Closer. Incomplete Audio ends with
// ErrClosed.
func (s *Speaker) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.makers.Wait()
	if c, ok := s.engine.(io.Closer); ok {
		_ = c.Close() // its connections are not used any more
	}
}
