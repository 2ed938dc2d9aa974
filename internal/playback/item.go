package playback

import (
	"context"
	"errors"
	"time"
)

// A Line is where audio goes: the carrier's end of a call. Audio is µ-law, 8000 Hz, mono. A *media.Stream is one.
// The player calls its methods from one goroutine at a time.
type Line interface {
	// SendMedia plays audio behind what was sent before.
	SendMedia(mulaw []byte) error
	// SendMark asks for an echo of name when all audio sent before it has been played.
	SendMark(name string) error
	// SendClear makes the carrier forget what it has not played yet.
	SendClear() error
}

// A Source makes the audio of one item: µ-law, 8000 Hz, mono. The player closes it exactly once.
type Source interface {
	// Next returns the next piece, of any length, and io.EOF behind the last. The slice is valid until the next
	// call. When ctx ends or Close is called, it returns soon.
	Next(ctx context.Context) ([]byte, error)
	// Close stops the producer. It may be called while Next runs.
	Close() error
}

// What can interrupt playback.
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

// A Result tells what became of an item.
type Result struct {
	ID     string
	Played time.Duration // what the caller heard of it
	Total  time.Duration // its length; 0 if it is not known because the Source was stopped before its end
	// Complete tells that the caller heard it to its end, as far as marks and clock can tell.
	Complete bool
	// InterruptedBy is BySpeech, ByDTMF or ByClear, also for an item that had to go before it was its turn. It is empty
	// when the item was complete or Err says what happened.
	InterruptedBy string
	// Unconfirmed tells that not one mark has come back since the Player was made, although one is overdue. Then nothing
	// shows that the carrier plays anything, and Played is by the clock alone.
	Unconfirmed bool
	// Err is the Source's error, ErrLine, or ErrClosed.
	Err error
}

var (
	// ErrFull means that too many items wait already.
	ErrFull = errors.New("playback: the queue is full")
	// ErrLine means that the line takes nothing any more. What the line said is wrapped with it.
	ErrLine = errors.New("playback: the line is broken")
	// ErrClosed means that the player was closed.
	ErrClosed = errors.New("playback: closed")
)

// An entry is an item on its way. The player's mutex guards it, but for what says otherwise.
type entry struct {
	Item
	done   chan struct{} // closed behind Finished
	closed bool          // the Source; run's own

	feed   *feed  // nil before it is its turn
	resend []byte // has to be sent before what the feed has
	kept   []byte // what was sent and may have to be sent again
	dead   bool   // interrupted before its turn; its result waits for those before it
	begun  bool   // from is set
	sent   bool   // to its end
	ended  bool   // the Source is at its end
	echoed bool   // its last sample has been played, says a mark
	from   int64  // place on the line's time line, in samples
	size   int64  // samples sent
	stale  span   // where it was before it had to be sent again
	least  int64  // samples heard there
	by     string // what interrupted it
	err    error  // the Source's
}

// A span is a stretch of the line's time line.
type span struct{ from, to int64 }

// again makes the entry one of which nothing was sent.
func (e *entry) again() {
	if e.begun {
		e.stale = span{e.from, e.to()}
	}
	e.resend = append(e.kept, e.resend...)
	e.kept, e.begun, e.sent, e.size = nil, false, false, 0
}

// heardStale notes that the line was heard up to pos before the entry had to be sent again: a carrier that does
// not heed a clear plays on into it.
func (e *entry) heardStale(pos int64) {
	e.least = max(e.least, min(pos, e.stale.to)-e.stale.from)
	e.stale = span{}
}

// to is the place behind its last sample.
func (e *entry) to() int64 { return e.from + e.size }

// result is what became of the entry when pos is the last place heard.
func (e *entry) result(pos int64) Result {
	r := Result{ID: e.ID, InterruptedBy: e.by, Err: e.err}
	played := e.least
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
