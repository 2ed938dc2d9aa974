package aldea

import (
	"slices"
	"time"

	"aldeabridge/codec"
)

const (
	// backlogChunk is the audio in one message while there is more than a chunk to send. Fewer, larger
	// messages cost less and catch up sooner; Deepgram wants 20 to 250 ms.
	backlogChunk = 160 * time.Millisecond
	// settleQuiet is how much of a silence is kept for a replay although there is no speech in it: what ends it
	// may have begun unnoticed.
	settleQuiet = 5 * time.Second
	// finalizeEvery is how much audio may go without a final result when the server sends none by itself.
	finalizeEvery = 20 * time.Second
	// maxFinalizes bounds the requests that wait for their place in the audio. A caller asks at most once
	// or twice a second, and behind a long backlog the oldest matter least.
	maxFinalizes = 16
)

// A source is what a stream knows about its own audio: what is kept, what has been sent on the present
// connection, and what is settled and needs no replay. Positions are sample numbers on the source time
// line. It is guarded by the stream's mutex.
type source struct {
	ring    ring
	line    timeline // of the present connection
	next    int64    // the first sample not yet sent on it
	base    int64    // the first sample it was to carry
	sent    int64    // the first sample never sent on any
	settled int64    // everything before is final, or silence

	loudEnd int64 // the end of the last audio that may have been speech
	interim bool  // an interim result with text has not become final yet

	finalizes  []finalizeRequest // beyond settled, in order of place
	finalized  int               // how many of them were sent on the present connection
	unrequited int64             // samples sent since the last Finalize

	question question  // speech that nothing came back for
	deaf     bool      // the reader is busy with a message, so there may be more
	lost     lostAudio // a gap that was not reported yet

	ended bool // no more audio will come
}

// A finalizeRequest asks for a Finalize behind the audio before sample at.
type finalizeRequest struct {
	at   int64
	once bool // only on the present connection
}

// rewind prepares for a new connection: everything that is not settled is sent again.
func (s *source) rewind(delay time.Duration) {
	s.line = timeline{delay: delay, pairs: s.line.pairs[:0]}
	s.next, s.base = s.settled, s.settled
	s.finalizes = slices.DeleteFunc(s.finalizes, func(r finalizeRequest) bool { return r.once })
	s.finalized, s.unrequited = 0, 0
	s.question, s.deaf = question{}, false
}

// finalizeDue reports whether Finalize was asked for at the very place that sending has reached.
func (s *source) finalizeDue() bool {
	return s.finalized < len(s.finalizes) && s.finalizes[s.finalized].at <= s.next
}

// finalizeSent notes that Finalize is sent now. It answers every request up to here.
func (s *source) finalizeSent() {
	for s.finalizeDue() {
		s.finalized++
	}
	s.unrequited = 0
}

// finalize asks for Finalize behind all audio so far.
func (s *source) finalize(once bool) {
	if n := len(s.finalizes); n > 0 && s.finalizes[n-1].at == s.ring.end {
		s.finalizes[n-1].once = s.finalizes[n-1].once && once
		return
	}
	if len(s.finalizes) == maxFinalizes {
		s.dropFinalizes(1)
	}
	s.finalizes = append(s.finalizes, finalizeRequest{s.ring.end, once})
}

func (s *source) dropFinalizes(n int) {
	s.finalizes = append(s.finalizes[:0], s.finalizes[n:]...)
	s.finalized = max(0, s.finalized-n)
}

// ready is how many samples can be sent now: whole chunks, or what is left before a Finalize, before the
// end of the audio, or when the rest has been waiting for long enough.
func (s *source) ready(chunk, most int64, waited bool) int64 {
	end, all := s.ring.end, s.ended || waited
	if s.finalized < len(s.finalizes) {
		end, all = s.finalizes[s.finalized].at, true
	}
	if n := end - s.next; n >= chunk || all {
		return min(n, most)
	}
	return 0
}

// take copies the next samples into dst and counts them as sent.
func (s *source) take(dst []byte) (replayed int64) {
	s.ring.read(dst, s.next)
	n := int64(len(dst))
	s.line.audio(s.next, n)
	s.next += n
	s.unrequited += n
	replayed = n - max(0, s.next-max(s.sent, s.next-n))
	s.sent = max(s.sent, s.next)
	if codec.MayBeSpeech(dst) {
		s.loudEnd = max(s.loudEnd, s.next)
	}
	s.settleSilence()
	return replayed
}

// settleSilence discards silence that needs no replay. Some servers send no results during silence;
// without this, a connection lost after a long silence would replay all of it.
func (s *source) settleSilence() {
	if !s.interim && s.settled >= s.loudEnd {
		s.settle(s.next - sampleAt(settleQuiet))
	}
}

// settle notes that the audio before sample end needs no replay. A server cannot settle what it was not
// sent.
func (s *source) settle(end int64) {
	s.settled = max(s.settled, min(end, s.next))
	s.ring.discard(s.settled)
	done := 0
	for done < s.finalized && s.finalizes[done].at <= s.settled {
		done++
	}
	s.dropFinalizes(done)
}
