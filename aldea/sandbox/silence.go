package sandbox

import "time"

// Intervals of results during silence: Deepgram sends about one interim a second.
const (
	silentInterim = time.Second
	silentFinal   = 5 * time.Second
	silentMargin  = 500 * time.Millisecond // silence is certain only before this: a word may have begun since
)

// idle sends the results without words that are due in silence.
func (s *segmenter) idle() {
	if s.open || len(s.shown) > 0 {
		s.silent = s.now()
		return
	}
	automatic := s.params.Endpointing >= 0 || s.ownPace
	if end := s.now() - silentMargin; s.emptyFinals && automatic && end-s.segment >= silentFinal {
		s.to.result(result{start: s.segment, end: end, final: true})
		s.segment, s.silent = end, s.now()
		return
	}
	if s.emptyInterims && s.params.Interim && s.now()-s.silent >= silentInterim {
		s.silent = s.now()
		s.to.result(result{start: s.segment, end: s.now()})
	}
}
