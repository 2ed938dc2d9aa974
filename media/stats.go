package media

import (
	"sync/atomic"
	"time"
)

// Stats tells how a stream went. The sum of Frames, Late, Duplicate and Bad is less than or equal to the
// media messages received: a frame that overlaps another counts as placed and as late.
type Stats struct {
	Frames    int64 // media messages placed on a time line
	Late      int64 // dropped, in part or whole: their place on the time line had passed
	Duplicate int64 // dropped: seen before
	Bad       int64 // dropped: the payload is no base64
	Skipped   int64 // unknown, unexpected or unreadable messages
	Keys      int64 // dropped: keys pressed faster than anybody does
	Rebased   int64 // how often the carrier's clock jumped and a time line was set anew
	// Silence was put in for audio that never came, all tracks together.
	Silence time.Duration
}

// counters are Stats while they grow. They are written in one place at a time and read anywhere.
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

// ServerStats tells how a Server went since it was made. All but Active only grow.
type ServerStats struct {
	Active   int   // streams open now, those about to open included
	Started  int64 // streams that reached Serve
	Denied   int64 // upgrades and webhooks refused: not authenticated
	Full     int64 // upgrades refused: too many streams, or shutting down
	Token    int64 // streams refused after the upgrade: their one-time token was wrong or missing
	Second   int64 // streams refused after the upgrade: another of their call is up and brings audio
	TooOften int64 // streams refused after the upgrade: their call begins too many
	NoStart  int64 // streams ended before a usable start message
	Keys     int64 // keys dropped: pressed faster than anybody does
	LeftOut  int64 // custom parameters left out: too many, or too long
	NoAudio  int64 // streams that brought messages and no audio
	Panicked int64 // streams whose handler panicked
}

type serverCounters struct {
	started, denied, full, token, second, often, noStart, keys, leftOut, noAudio, panicked atomic.Int64
}
