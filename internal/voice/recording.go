package voice

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// maxAudio is the most audio of one text or URL, in bytes: 15 minutes.
const maxAudio = 15 * 60 * 8000

// recording is audio that grows while it is made. One goroutine makes it; any number of Audios read it.
type recording struct {
	cancel context.CancelFunc // stops the goroutine that makes it

	mu      sync.Mutex // guards the rest
	audio   []byte     // append-only
	words   []Word
	err     error         // set at the end; io.EOF if it is complete
	changed chan struct{} // closed and replaced at every change
	readers int
	dropped bool // the last reader left before the end
}

func newRecording(cancel context.CancelFunc) *recording {
	return &recording{cancel: cancel, changed: make(chan struct{})}
}

// complete returns a recording of finished audio.
func complete(audio []byte, words []Word) *recording {
	return &recording{cancel: func() {}, audio: audio, words: words, err: io.EOF, changed: make(chan struct{})}
}

// fill appends the audio of a stream up to its end. It returns nil at a regular end.
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
		r.notify()
	}
	return len(r.audio)
}

// finish ends the recording; a nil err means that it is complete.
func (r *recording) finish(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if err == nil {
		r.err = io.EOF
	}
	r.notify()
}

// notify wakes the waiting readers. r.mu is held.
func (r *recording) notify() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// content returns what was made so far.
func (r *recording) content() ([]byte, []Word) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.audio, r.words
}

// listen adds a reader from the beginning, until ctx ends. It returns nil if the recording failed or was stopped because its
// last reader left.
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

// leave removes a reader. The goroutine that makes the recording stops when the last one has left.
func (r *recording) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readers--; r.readers == 0 && r.err == nil {
		r.dropped = true
		r.cancel()
	}
}

// Audio is audio that can be played while it is made: µ-law, 8000 Hz, mono. It is a playback.Source. It is closed when the
// context of the call that returned it ends.
type Audio struct {
	recording *recording
	at        int
	closing   sync.Once
	closed    chan struct{}
	detach    func() bool
}

// maxPiece is the most that Next returns, in bytes: half a second.
const maxPiece = 4000

// Length returns the duration made so far, and whether that is all. It may be called concurrently.
func (a *Audio) Length() (made time.Duration, whole bool) {
	a.recording.mu.Lock()
	defer a.recording.mu.Unlock()
	return time.Duration(len(a.recording.audio)) * time.Second / 8000, errors.Is(a.recording.err, io.EOF)
}

// Next waits for the next piece and returns io.EOF after the last. The slice stays valid, is shared and must not be changed.
// When ctx ends or Close is called, Next returns at once. Only one goroutine at a time may call it.
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

// take returns the next piece that is available, or the final error, or a channel that is closed at the next change.
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

// Words returns the words made so far, with their times, or nil if the engine provides none. It may be called concurrently,
// also after Close.
func (a *Audio) Words() []Word {
	_, words := a.recording.content()
	return slices.Clone(words)
}

// Close stops the production if this was its last reader, without waiting for that. It may be called more than once and while
// Next runs. It returns nil.
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
