package aldea

import (
	"time"

	"aldeabridge/codec"
)

const (
	// gapQuiet is how long a gap must not have grown until it is reported. One outage is one gap, also if
	// the first connections after it do not last.
	gapQuiet = time.Second
	// skipAhead is how much more is given up when a connection is too slow for the audio: a few pieces that
	// are whole are worth more than all of it in shreds.
	skipAhead = time.Second
)

// A lostAudio is a gap that has not been reported yet. The zero value is none.
type lostAudio struct {
	from, to int64
	cause    Cause
	grown    time.Time
}

// overrun reports whether audio that was still to be sent has had to make room.
func (s *source) overrun() bool { return s.next < s.ring.start }

// skipLost moves on to the oldest sample there is and notes what is lost by that. It returns how much. A
// gap that is not reported yet grows; it must not be one behind which something was sent.
func (s *source) skipLost(cause Cause, now time.Time) (lost int64) {
	if s.line.sent > 0 {
		s.ring.discard(s.ring.start + min(sampleAt(skipAhead), int64(s.ring.limit)/8))
	}
	start := s.ring.start
	if s.lost.to == s.lost.from {
		s.lost = lostAudio{from: s.next, cause: cause}
	}
	s.lost.from = min(s.lost.from, s.next)
	s.lost.to, s.lost.grown = start, now
	lost = start - s.next
	if s.settled >= s.next { // nothing before the gap is outstanding, and nothing in it ever will come
		s.settled = start
	}
	s.next = start
	return lost
}

// gapBefore reports whether there is a gap that is to be reported before anything that reaches up to t.
func (s *source) gapBefore(t time.Duration) bool {
	return s.lost.to > s.lost.from && t > timeOf(s.lost.from)
}

// takeGap returns the gap to report, nil if there is none.
func (s *source) takeGap() *Gap {
	lost := s.lost
	s.lost = lostAudio{}
	if lost.to <= lost.from {
		return nil
	}
	return &Gap{From: timeOf(lost.from), To: timeOf(lost.to), Cause: lost.cause}
}

// abandon notes that nothing more will be sent: unsettled audio is lost, if it may contain speech.
func (s *source) abandon(cause Cause) {
	from := s.settled
	if s.lost.to > s.lost.from {
		from, cause = min(from, s.lost.from), s.lost.cause
	} else if !s.unheard() {
		return
	}
	s.lost = lostAudio{from: from, to: s.ring.end, cause: cause}
}

// unheard reports whether there may be speech in what is not settled.
func (s *source) unheard() bool {
	if s.interim || s.ring.start > s.settled {
		return true
	}
	var piece [480]byte
	for at := s.settled; at < s.ring.end; at += int64(len(piece)) {
		if codec.MayBeSpeech(piece[:s.ring.read(piece[:], at)]) {
			return true
		}
	}
	return false
}
