package media

import (
	"sync/atomic"
	"time"
)

// Stats are the counters of a stream. The sum of Frames, Late, Duplicate and Bad is less than or equal to the
// media messages received: a frame that overlaps another counts as placed and as late.
type Stats struct {
	Frames    int64 // media messages placed on a time line
	Late      int64 // dropped, in part or whole: their place on the time line had passed
	Duplicate int64 // dropped: seen before
	Bad       int64 // dropped: the payload is no base64
	Skipped   int64 // unknown, unexpected or unreadable messages
	Keys      int64 // dropped: keys faster than a person presses them
	Rebased   int64 // jumps of the carrier's clock after which a time line was realigned
	// Silence is the silence inserted for missing audio, all tracks together.
	Silence time.Duration
}

// counters are the atomic counters behind Stats.
type counters struct {
	frames, late, duplicate, bad, skipped, keys, rebased atomic.Int64
	silence                                              atomic.Int64 // samples
}

func (n *counters) stats() Stats {
	return Stats{
		Frames:    n.frames.Load(),
		Late:      n.late.Load(),
		Duplicate: n.duplicate.Load(),
		Bad:       n.bad.Load(),
		Skipped:   n.skipped.Load(),
		Keys:      n.keys.Load(),
		Rebased:   n.rebased.Load(),
		Silence:   duration(n.silence.Load()),
	}
}

// ServerStats are the counters of a Server. All but Active only grow.
type ServerStats struct {
	Active   int   // open streams, including those whose upgrade is in progress
	Started  int64 // streams that reached Serve
	Denied   int64 // upgrades and webhooks refused: not authenticated
	Full     int64 // upgrades refused: too many streams, or shutting down
	Token    int64 // streams refused after the upgrade: their one-time token was wrong or missing
	Second   int64 // streams refused after the upgrade: another stream of their call has audio
	TooOften int64 // streams refused after the upgrade: their call starts too many
	NoStart  int64 // streams ended before a usable start message
	Keys     int64 // keys dropped: faster than a person presses them
	LeftOut  int64 // custom parameters left out: too many, or too long
	NoAudio  int64 // streams with messages and no audio
	Panicked int64 // panics of goroutines that work for streams
}

type serverCounters struct {
	started, denied, full, token, second, often, noStart, keys, leftOut, noAudio, panicked atomic.Int64
}
