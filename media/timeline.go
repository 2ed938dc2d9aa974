package media

import (
	"hash/maphash"
	"time"

	"aldeabridge/codec"
)

// Limits of a time line. Lengths are in samples of µ-law, 8000 a second.
const (
	sampleRate = 8000
	perMilli   = sampleRate / 1000

	maxRebases = 10 // after so many clock jumps timestamps are ignored
	seenFrames = 64 // timestamps stored to distinguish duplicates from late frames; more than lateRunFrames
)

// A timeline turns the frames of a stream into continuous audio, each track separately. It does not read the clock: the
// caller passes the time. Methods must not be called concurrently.
//
// The carrier's timestamps are compared only with each other. For each track, next is the expected timestamp of the next
// frame. A frame that is ahead leaves a gap, which is filled with silence. A frame that is behind is a duplicate or late,
// and its overlap is dropped. Such frames are first buffered for a second: if no other frames follow, the clock was set
// back, and they are placed.
//
// Silence that was inserted because no frame arrived (pad) is a guess: the network may have been slow. Audio that arrives
// later for that time is appended after the silence, and from then on the track is longer than the carrier's clock says,
// by shift. Later gaps and frames of digital silence are shortened to reduce the shift.
type timeline struct {
	emit   func(t Track, mulaw []byte) // receives each sample of a track once, in order
	opened time.Time                   // when the stream began
	lag    time.Duration               // how long a frame may wait to be read
	tracks [trackCount]trackline
	placed bool // at least one frame with audio was placed
	n      *counters
}

// A trackline is the time line of one track. Lengths and positions are in samples.
type trackline struct {
	on        bool      // the carrier announced the track
	pos       int64     // samples emitted
	made      int64     // inserted silence among them
	lastFrame time.Time // arrival of the last frame that was placed
	voiced    bool      // the last frame may be speech

	known bool  // the carrier's clock is known: next is valid
	blind bool  // timestamps are ignored: each frame follows the last
	next  int64 // the carrier's clock at the end of the last frame
	pad   int64 // silence inserted by the wall clock since that frame
	shift int64 // excess of the track over the carrier's clock
	pause int64 // length of the current run of silence; maintained only while shift > 0

	lateRun lateRun
	rebases int
	seen    [seenFrames]int64  // timestamps of the last frames, plus one
	sums    [seenFrames]uint32 // hashes of their audio
	seenAt  int
}

// newTimeline returns a time line for the announced tracks that begins at now.
func newTimeline(tracks []Track, now time.Time, n *counters, emit func(Track, []byte)) *timeline {
	l := &timeline{emit: emit, opened: now, n: n}
	for _, t := range tracks {
		l.tracks[t].on = true
		l.tracks[t].lastFrame = now
	}
	return l
}

// has reports whether the stream has track t.
func (l *timeline) has(t Track) bool { return l.tracks[t].on }

// at returns the end of the audio emitted on track t.
func (l *timeline) at(t Track) time.Duration { return duration(l.tracks[t].pos) }

// frame places one frame. millis is its timestamp; without one the frame follows the last.
func (l *timeline) frame(t Track, millis int64, hasTimestamp bool, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	if len(mulaw) == 0 {
		l.n.frames.Add(1)
		return
	}
	if !hasTimestamp || tr.blind {
		l.appendFrame(t, mulaw, now)
		return
	}
	ts := millis * perMilli
	if !tr.known {
		l.align(t, ts)
	}
	if back := tr.next - ts; back >= perMilli {
		if back >= int64(len(mulaw)) {
			l.addLate(t, millis, mulaw, now)
			return
		}
		l.repeated(tr, millis)
		mulaw, ts = mulaw[back:], tr.next
	}
	l.gap(t, ts-tr.next, now)
	// Timestamps are rounded to milliseconds. Less than one is no deviation: next then keeps counting samples.
	if ahead := ts - tr.next; ahead >= perMilli {
		tr.next = ts
	}
	tr.record(millis, mulaw)
	l.place(t, mulaw, now)
}

// appendFrame places a frame without a usable timestamp after the last one.
func (l *timeline) appendFrame(t Track, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	tr.next += tr.pad
	l.place(t, mulaw, now)
}

// place emits a frame at the end of the track.
func (l *timeline) place(t Track, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	tr.next += int64(len(mulaw))
	tr.pad, tr.lastFrame, tr.voiced = 0, now, codec.MayBeSpeech(mulaw)
	l.dropLate(tr)
	l.placed = true
	l.n.frames.Add(1)
	if tr.shift > 0 {
		mulaw = tr.shorten(mulaw)
	}
	if len(mulaw) > 0 {
		tr.pos += int64(len(mulaw))
		l.emit(t, mulaw)
	}
}

// align sets a track's clock at its first timestamp. The first track of a stream starts at its current position. The
// second is aligned with the clock of the first, so that both count from the same time.
func (l *timeline) align(t Track, ts int64) {
	tr, other := &l.tracks[t], &l.tracks[trackCount-1-t]
	tr.known = true
	if !other.known {
		tr.next, tr.pad = ts, 0
		return
	}
	// zero is the other track's clock at position 0 of the call. This track has only inserted silence and frames without
	// a timestamp so far.
	zero := other.next - (other.pos - other.pad)
	tr.next = min(ts, zero+tr.pos-tr.pad)
}

// gap fills the time between the last frame and a frame that is ahead of it by the carrier's clock, less the silence
// inserted since.
func (l *timeline) gap(t Track, ahead int64, now time.Time) {
	tr := &l.tracks[t]
	need := max(ahead, 0) - tr.pad
	if need < 0 {
		tr.shift -= need
		tr.pause = 0
		return
	}
	if need < perMilli {
		return
	}
	if tr.shift > 0 {
		need -= tr.repay(need, need)
	}
	if most := l.budget(tr, now); need > most {
		need = most
		l.rebase(tr)
	}
	l.silence(t, need)
}

// rebase counts a jump of the carrier's clock.
func (l *timeline) rebase(tr *trackline) {
	l.n.rebased.Add(1)
	tr.rebases++
	tr.blind = tr.rebases >= maxRebases
}

// audioSeed is random, so that a client cannot produce hash collisions.
var audioSeed = maphash.MakeSeed()

func sum(mulaw []byte) uint32 { return uint32(maphash.Bytes(audioSeed, mulaw)) }

// record stores the timestamp and hash of a placed frame.
func (tr *trackline) record(millis int64, mulaw []byte) {
	tr.seen[tr.seenAt], tr.sums[tr.seenAt] = millis+1, sum(mulaw)
	tr.seenAt = (tr.seenAt + 1) % seenFrames
}

// seenBefore reports whether a frame with this timestamp was placed, and whether one of them had this audio.
func (tr *trackline) seenBefore(millis int64, mulaw []byte) (time, audio bool) {
	for i, s := range tr.seen {
		if s == millis+1 {
			time = true
			audio = audio || tr.sums[i] == sum(mulaw)
		}
	}
	return time, audio
}

func samples(d time.Duration) int64 { return int64(d / (time.Second / sampleRate)) }

func duration(samples int64) time.Duration {
	return time.Duration(samples) * (time.Second / sampleRate)
}
