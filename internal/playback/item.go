package playback

import (
	"context"
	"errors"
	"time"
)

// A Line sends messages to the carrier. Audio is µ-law, 8000 Hz, mono. A *media.Stream is a Line. The player calls its
// methods from one goroutine at a time.
type Line interface {
	// SendMedia appends audio to the carrier's buffer.
	SendMedia(mulaw []byte) error
	// SendMark makes the carrier return name when it has played all audio sent before.
	SendMark(name string) error
	// SendClear makes the carrier discard the audio that it has not played yet.
	SendClear() error
}

// A Source produces the audio of one item: µ-law, 8000 Hz, mono. The player closes it exactly once.
type Source interface {
	// Next returns the next piece, of any length, and io.EOF after the last. The slice is valid until the next
	// call. When ctx ends or Close is called, it returns soon.
	Next(ctx context.Context) ([]byte, error)
	// Close stops the production. It may be called while Next runs.
	Close() error
}

// The values of Result.InterruptedBy.
const (
	BySpeech = "speech" // the caller spoke
	ByDTMF   = "dtmf"   // the caller pressed a key
	ByClear  = "clear"  // Clear was called
)

// An Item is one thing to play.
type Item struct {
	ID     string // for the Result
	Source Source
	// Interruptible lets the caller's speech and keys stop the item. Clear stops every item.
	Interruptible bool
}

// A Result reports how an item ended.
type Result struct {
	ID     string
	Played time.Duration // how much the caller heard
	Total  time.Duration // its length; 0 if unknown because the Source was stopped before its end
	// Complete means that the caller heard the whole item, according to the marks and the playout clock.
	Complete bool
	// InterruptedBy is BySpeech, ByDTMF or ByClear, also for an item that was removed before it began to play. It is empty
	// if the item was complete or Err is set.
	InterruptedBy string
	// Unconfirmed means that no mark has returned since the Player was made, although one is overdue. Then there is no
	// evidence that the carrier plays anything, and Played is computed from the time alone.
	Unconfirmed bool
	// Err is the Source's error, ErrLine, or ErrClosed.
	Err error
}

var (
	// ErrFull means that the queue has Config.Queue items already.
	ErrFull = errors.New("playback: the queue is full")
	// ErrLine means that sending on the Line failed. It wraps the Line's error.
	ErrLine = errors.New("playback: the line is broken")
	// ErrClosed means that the player was closed.
	ErrClosed = errors.New("playback: closed")
)

// entry is an enqueued item. Player.mu guards it, except where a field says otherwise.
type entry struct {
	Item
	done   chan struct{} // closed after Finished has returned
	closed bool          // the Source is closed; used by run only

	buffer      *sourceBuffer // nil until the item begins
	resend      []byte        // to send before what is in buffer
	kept        []byte        // copy of sent audio that a clear may remove from the carrier
	interrupted bool          // before it began; its result waits for those before it
	begun       bool          // from is set
	sent        bool          // all of it was sent
	ended       bool          // the Source has ended regularly
	echoed      bool          // a mark shows that its last sample was played
	from        int64         // position of its first sample
	size        int64         // samples sent
	stale       span          // its position before it was sent again
	staleHeard  int64         // samples heard at that position
	by          string        // see Result.InterruptedBy
	err         error         // the Source's error
}

// span is a range of positions.
type span struct{ from, to int64 }

// resetSent makes the entry one of which nothing was sent.
func (e *entry) resetSent() {
	if e.begun {
		e.stale = span{e.from, e.to()}
	}
	e.resend = append(e.kept, e.resend...)
	e.kept, e.begun, e.sent, e.size = nil, false, false, 0
}

// heardStale records that the caller heard up to pos before the entry was sent again: a carrier that ignores a clear
// plays on into it.
func (e *entry) heardStale(pos int64) {
	e.staleHeard = max(e.staleHeard, min(pos, e.stale.to)-e.stale.from)
	e.stale = span{}
}

// to returns the position after its last sample.
func (e *entry) to() int64 { return e.from + e.size }

// result returns the entry's Result if the caller heard up to pos.
func (e *entry) result(pos int64) Result {
	r := Result{ID: e.ID, InterruptedBy: e.by, Err: e.err}
	played := e.staleHeard
	if e.begun {
		played = max(played, min(pos-e.from, e.size))
	}
	r.Played = duration(played)
	if e.ended && e.sent {
		r.Total = duration(e.size)
	}
	if e.ended && e.sent && r.Played == r.Total {
		r.Complete, r.InterruptedBy, r.Err = true, "", nil
	}
	return r
}
