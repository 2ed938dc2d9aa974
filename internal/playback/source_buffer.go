package playback

import (
	"context"
	"errors"
	"io"
	"sync"
)

const (
	// feedSize is how much audio is taken from a Source before its time: one second.
	feedSize = 8000
	// chunk is the most audio in one message: 100 ms, so that a clear need not wait behind more.
	chunk = 800
)

// A feed takes audio from a Source in a goroutine of its own and holds it until it is sent.
type feed struct {
	cancel context.CancelFunc
	more   func() // called when there is something to take

	mu   sync.Mutex // guards the rest
	buf  []byte
	err  error         // io.EOF at the end
	room chan struct{} // a value when something was taken
}

func newFeed(cancel context.CancelFunc, more func()) *feed {
	return &feed{cancel: cancel, more: more, room: make(chan struct{}, 1)}
}

// fill takes audio from the source until its end or that of ctx.
func (f *feed) fill(ctx context.Context, s Source) {
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

// put holds as much of b as there is room for and returns how much that was.
func (f *feed) put(b []byte, err error) int {
	f.mu.Lock()
	n := min(len(b), feedSize-len(f.buf))
	f.buf = append(f.buf, b[:n]...)
	f.err = err
	f.mu.Unlock()
	if n > 0 || err != nil {
		f.more()
	}
	return n
}

// take moves the next chunk to dst. When nothing is left and nothing will come, over is true and err the
// Source's error, if it had one.
func (f *feed) take(dst []byte) (n int, over bool, err error) {
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

// ready tells whether take has something to tell: at least a frame, unless it is the last.
func (f *feed) ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.buf) >= frame || f.err != nil
}
