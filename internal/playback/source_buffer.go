package playback

import (
	"context"
	"errors"
	"io"
	"sync"
)

const (
	// bufferSize is how much audio is read from a Source before it is sent: one second.
	bufferSize = 8000
	// chunk is the most audio in one message: 100 ms, so that a clear waits for no more than that.
	chunk = 800
)

// sourceBuffer holds audio of a Source until it is sent. A goroutine runs fill; the player's goroutine calls take.
type sourceBuffer struct {
	cancel context.CancelFunc
	notify func() // called when audio or the end was added

	mu   sync.Mutex // guards the rest
	buf  []byte
	err  error         // io.EOF at the end
	room chan struct{} // gets a value when audio was removed
}

func newSourceBuffer(cancel context.CancelFunc, notify func()) *sourceBuffer {
	return &sourceBuffer{cancel: cancel, notify: notify, room: make(chan struct{}, 1)}
}

// fill reads the Source until its end or until ctx ends.
func (f *sourceBuffer) fill(ctx context.Context, s Source) {
	for {
		b, err := s.Next(ctx)
		if err == nil {
			err = ctx.Err()
		}
		for err == nil && len(b) > 0 {
			b = b[f.put(b, nil):]
			if len(b) == 0 {
				break
			}
			select {
			case <-f.room:
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			f.put(nil, err)
			return
		}
	}
}

// put appends as much of b as fits and returns how much that was. err is the Source's error or nil.
func (f *sourceBuffer) put(b []byte, err error) int {
	f.mu.Lock()
	n := min(len(b), bufferSize-len(f.buf))
	f.buf = append(f.buf, b[:n]...)
	f.err = err
	f.mu.Unlock()
	if n > 0 || err != nil {
		f.notify()
	}
	return n
}

// take moves buffered audio to dst. If the Source has ended and the buffer is empty, over is true and err is the Source's
// error, or nil at its regular end.
func (f *sourceBuffer) take(dst []byte) (n int, over bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n = copy(dst, f.buf)
	f.buf = f.buf[:copy(f.buf, f.buf[n:])]
	if n > 0 {
		select {
		case f.room <- struct{}{}:
		default:
		}
	}
	if len(f.buf) > 0 || f.err == nil {
		return n, false, nil
	}
	if errors.Is(f.err, io.EOF) {
		return n, true, nil
	}
	return n, true, f.err
}

// ready reports whether take would return at least a frame, or the last audio.
func (f *sourceBuffer) ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.buf) >= frame || f.err != nil
}
