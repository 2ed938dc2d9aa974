package aldea

import (
	"sort"
	"time"
)

// sampleTime is the length of one source sample: 8000 a second.
const sampleTime = 125 * time.Microsecond

// timeOf is the time of a source sample.
func timeOf(sample int64) time.Duration { return time.Duration(sample) * sampleTime }

// sampleAt is the number of the sample that lies at a time.
func sampleAt(t time.Duration) int64 { return int64(t / sampleTime) }

// A timeline maps the time of one connection, which is the audio sent on it, to the source time line. It
// keeps a pair of times for each place where sending did not simply continue the source: where it began,
// and after audio that was skipped or made up.
//
// Positions count samples of the source's rate on both sides: the wire has a fixed number of samples for
// each.
type timeline struct {
	delay time.Duration // of the codec: its output lies this much behind its input
	sent  int64         // samples sent on the connection
	pairs []pair
}

type pair struct{ conn, source int64 }

// maxPairs bounds the list. A pair is added for each gap; only a connection that is too slow for the audio
// for minutes has more, and then the oldest results have long arrived.
const maxPairs = 256

// audio notes that n samples of the source, from source on, are the next to be sent.
func (t *timeline) audio(source, n int64) {
	if last := len(t.pairs) - 1; last < 0 || t.pairs[last].source+t.sent-t.pairs[last].conn != source {
		if len(t.pairs) == maxPairs {
			t.pairs = append(t.pairs[:0], t.pairs[1:]...)
		}
		t.pairs = append(t.pairs, pair{t.sent, source})
	}
	t.sent += n
}

// filler notes that n samples which are not in the source are sent before sample next of it. They take
// the time before it, so that nothing of the source moves.
func (t *timeline) filler(next, n int64) { t.audio(next-n, n) }

// claimSlack is how far a result may end behind what was sent: servers count in frames of their own, and
// what the codec holds back comes on top.
const claimSlack = time.Second

// credible reports whether a result may end at a time of the connection.
func (t *timeline) credible(conn time.Duration) bool { return conn <= timeOf(t.sent)+claimSlack }

// at converts the time at which something begins.
func (t *timeline) at(conn time.Duration) time.Duration {
	return t.convert(conn, func(p pair) bool { return timeOf(p.conn) > conn-t.delay })
}

// until converts the time at which something ends. It differs from at where audio was skipped: what ends
// there has not reached the other side.
func (t *timeline) until(conn time.Duration) time.Duration {
	return t.convert(conn, func(p pair) bool { return timeOf(p.conn) >= conn-t.delay })
}

// convert uses the last pair before the first that is later. Nothing lies before the first sample that was
// sent, nor after the last: what a server hears beyond, such as the codec's run-in and tail, ends there.
func (t *timeline) convert(conn time.Duration, later func(pair) bool) time.Duration {
	if len(t.pairs) == 0 {
		return 0
	}
	i := sort.Search(len(t.pairs), func(i int) bool { return later(t.pairs[i]) })
	p := t.pairs[max(0, i-1)]
	source := timeOf(p.source) + conn - t.delay - timeOf(p.conn)
	return max(0, timeOf(p.source), min(source, timeOf(t.end())))
}

// end is the source sample after the last one sent.
func (t *timeline) end() int64 {
	if len(t.pairs) == 0 {
		return 0
	}
	p := t.pairs[len(t.pairs)-1]
	return p.source + t.sent - p.conn
}
