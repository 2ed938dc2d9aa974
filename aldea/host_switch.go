package aldea

import (
	"errors"
	"time"
)

// errMoved is the end of a connection that the stream itself ended, for a better host is back.
var errMoved = errors.New("aldea: moved to a better host")

const (
	// moveQuiet is how long there must have been no speech, in addition to Config.UtteranceEnd, so that there is
	// nothing the server has still to say.
	moveQuiet = 2 * time.Second
	// moveKeep is how much of that silence is sent again: a word may have begun in it unnoticed.
	moveKeep = 500 * time.Millisecond
)

// movable reports whether the connection could end now without any loss or delay.
func (s *source) movable(quiet time.Duration) bool {
	return !s.ended && !s.interim && s.settled >= s.loudEnd && s.loudEnd+sampleAt(quiet) <= s.next &&
		s.ring.end-s.next < sampleAt(backlogChunk) && len(s.finalizes) == 0
}

// planMove reports whether the stream is to leave its host now for a better one.
func (w *writer) planMove(now time.Time) bool {
	if w.host == nil || w.host.index == 0 {
		return false
	}
	src := &w.s.src
	if !src.movable(moveQuiet + w.s.as.config.UtteranceEnd) {
		return false
	}
	if !w.s.client.guard.mayMove(w.s.waiter, w.host, now) {
		return false
	}
	src.settle(src.next - sampleAt(moveKeep))
	return true
}
