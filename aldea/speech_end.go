package aldea

import (
	"time"

	"aldeabridge/codec"
)

const (
	// onsetMost is how far a final result may reach into a word that it does not hold: a recognizer needs that
	// long to detect that speech begins again, and its result ends before that.
	onsetMost = 100 * time.Millisecond
	// onsetStep is the audio that is judged at a time when looking for the beginning of such a word.
	onsetStep = 10 * time.Millisecond
)

// onset is the sample up to which a final result settles the audio. Mostly that is its end. But the pause that ended an
// utterance may be over by the time its result is made: then the end lies in the next word, and a replay from there would
// bring that word without its beginning. So where speech began just before the end, behind the last word of the
// result, the audio is settled only up to there.
func (s *source) onset(r *Results) int64 {
	end := min(sampleAt(r.End), s.next)
	from := max(end-sampleAt(onsetMost), s.settled, s.ring.start)
	if n := len(r.Words); n > 0 {
		from = max(from, sampleAt(r.Words[n-1].End))
	}
	var piece [int64(onsetStep) * 8000 / int64(time.Second)]byte
	step := int64(len(piece))
	for at := end; at-step >= from; at -= step {
		s.ring.read(piece[:], at-step)
		if codec.MayBeSpeech(piece[:]) {
			continue
		}
		if at == end {
			return end
		}
		return at - step // the beginning may lie in the end of a quiet piece
	}
	return end // speech without a pause: the recognizer decides where to cut
}
