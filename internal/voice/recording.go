package voice

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// maxAudio is the most audio that is held of one text or URL, in bytes: 15 minutes.
const maxAudio = 15 * 60 * 8000

// A recording is audio that grows while it is made. One goroutine makes it, any number listen.
type recording struct {
	cancel context.CancelFunc // stops who makes it

	mu      sync.Mutex // guards the rest
	audio   []byte     // what is written is never changed
	words   []Word
	err     error         // how it ended: io.EOF when it is whole
	changed chan struct{} // closed and made anew when something is added
	readers int
	dropped bool // nobody listens any more
}

func newRecording(cancel context.CancelFunc) *recording {
	return &recording{cancel: cancel, changed: make(chan struct{})}
}

// whole is a recording that is made already.
func whole(audio []byte, words []Word) *recording {
	return &recording{cancel: func() {}, audio: audio, words: words, err: io.EOF, changed: make(chan struct{})}
}

// fill adds what a stream gives, to its end, and returns nil when that came.
func (r *recording) fill(s Stream) error {
	buf := make([]byte, readSize)
	for {
		n, err := s.Read(buf)
		size := r.add(buf[:n], s.Words())
		switch {
		case errors.Is(err, io.EOF) && size == 0:
			return ErrEmpty
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case size > maxAudio:
			return ErrTooLong
		}
	}
}

func (r *recording) add(audio []byte, words []Word) (size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.audio = append(r.audio, audio...)
	r.words = words
	if len(audio) > 0 {
		r.tell()
	}
	return len(r.audio)
}

// finish says how it ended; nil is well.
func (r *recording) finish(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if err == nil {
		r.err = io.EOF
	}
	r.tell()
}

// tell wakes who waits. r.mu is held.
func (r *recording) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// content is what was made.
func (r *recording) content() ([]byte, []Word) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.audio, r.words
}

// listen returns somebody new who listens, from the beginning, until ctx ends. It returns nil when the recording failed or
// nobody listened any more.
func (r *recording) listen(ctx context.Context) *Audio {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped || r.err != nil && !errors.Is(r.err, io.EOF) {
		return nil
	}
	r.readers++
	a := &Audio{recording: r, closed: make(chan struct{})}
	a.detach = context.AfterFunc(ctx, a.leave)
	return a
}

// leave is told that somebody does not listen any more. The last one stops the making.
func (r *recording) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readers--; r.readers == 0 && r.err == nil {
		r.dropped = true
		r.cancel()
	}
}

// Audio is something to play, as it is made: µ-law, 8000 Hz, mono. It is a playback.Source. It closes itself when the
// context ends that it was asked for with.
type Audio struct {
	recording *recording
	at        int
	closing   sync.Once
	closed    chan struct{}
	detach    func() bool
}

// maxPiece is the most that Next returns, in bytes: half a second.
const maxPiece = 4000

// Length is how much has been made so far, and whether that is all. It may be called concurrently.
func (a *Audio) Length() (made time.Duration, whole bool) {
	a.recording.mu.Lock()
	defer a.recording.mu.Unlock()
	return time.Duration(len(a.recording.audio)) * time.Second / 8000, errors.Is(a.recording.err, io.EOF)
}

// Next returns the next piece as soon as there is one, and io.EOF behind the last. The slice is valid for good and belongs
// to others too: nobody changes it. When ctx ends or Close is called, Next returns at once. One goroutine calls it.
func (a *Audio) Next(ctx context.Context) ([]byte, error) {
	for {
		select {
		case <-a.closed:
			return nil, ErrClosed
		default:
		}
		piece, changed, err := a.take()
		if len(piece) > 0 || err != nil {
			return piece, err
		}
		select {
		case <-changed:
		case <-a.closed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take returns the next piece that is there already, or how it ended, or where to wait.
func (a *Audio) take() (piece []byte, changed <-chan struct{}, err error) {
	r := a.recording
	r.mu.Lock()
	defer r.mu.Unlock()
	if rest := r.audio[a.at:]; len(rest) > 0 {
		piece = rest[:min(len(rest), maxPiece):min(len(rest), maxPiece)]
		a.at += len(piece)
		return piece, nil, nil
	}
	return nil, r.changed, r.err
}

// Words are those made so far, with their times, or nil if the engine gives none. It may be called concurrently, also when
// the Audio is closed.
func (a *Audio) Words() []Word {
	_, words := a.recording.content()
	return slices.Clone(words)
}

// Close stops the making, if nobody else wants it, without waiting for that. It may be called more than once and while Next
// runs. It returns nil.
func (a *Audio) Close() error {
	a.detach()
	a.leave()
	return nil
}

func (a *Audio) leave() {
	a.closing.Do(func() {
		close(a.closed)
		a.recording.leave()
	})
}
