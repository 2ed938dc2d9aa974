package media

import (
	"hash/maphash"
	"time"

	"aldeabridge/codec"
)

// What the time line may do. Lengths are samples of µ-law, 8000 a second.
const (
	sampleRate = 8000
	perMilli   = sampleRate / 1000

	maxRebases = 10 // a clock that must be set so often is no clock
	seenFrames = 64 // timestamps kept to tell a duplicate from a late frame; more than lateRun
)

// A timeline makes continuous audio of the frames of a stream, each track by itself. It is arithmetic:
// whoever owns it tells it the time. Methods must not be called concurrently.
//
// The carrier's clock is only ever compared with itself. For each track, next is what it should show on the
// next frame. A frame that is ahead leaves a gap, which is filled. A frame that is behind was received
// before or comes too late, and what it repeats is dropped. Such frames are kept for a second first: when nothing else comes
// the clock was set back, and they are placed.
//
// Silence that was put in because nothing arrived (pad) is a guess: the network may only have been slow.
// Real audio that turns up for that stretch is appended behind the silence, whole, and the track is from
// then on longer than the carrier's clock says, by shift. Later gaps and frames of pure silence make up for it.
type timeline struct {
	emit   func(t Track, mulaw []byte) // gets every sample of a track once, in order
	opened time.Time                   // when the stream began
	lag    time.Duration               // how long a frame may lie unread
	tracks [trackCount]trackline
	placed bool // a frame with audio
	n      *counters
}

// A trackline is the time line of one track. Lengths and positions are in samples.
type trackline struct {
	on     bool      // the carrier announced the track
	pos    int64     // samples emitted
	made   int64     // silence among them that we put in
	heard  time.Time // when the last frame arrived that had a place
	voiced bool      // it may have been part of a word

	known bool  // the carrier's clock is known: next is valid
	blind bool  // the carrier's clock is worthless: frames follow each other
	next  int64 // the carrier's clock right after the last frame
	pad   int64 // silence put in by the wall clock since that frame
	shift int64 // by so much the track is longer than the carrier's clock says
	pause int64 // length of the present run of silence; kept up only while there is a shift

	late    late
	rebases int
	seen    [seenFrames]int64  // timestamps of the last frames, plus one
	sums    [seenFrames]uint32 // of their audio
	seenAt  int
}

// newTimeline returns a time line for the announced tracks that begins at now.
func newTimeline(tracks []Track, now time.Time, n *counters, emit func(Track, []byte)) *timeline {
	l := &timeline{emit: emit, opened: now, n: n}
	for _, t := range tracks {
		l.tracks[t].on = true
		l.tracks[t].heard = now
	}
	return l
}

// has tells whether track t is one of the stream's.
func (l *timeline) has(t Track) bool { return l.tracks[t].on }

// at is the end of what track t has emitted.
func (l *timeline) at(t Track) time.Duration { return duration(l.tracks[t].pos) }

// frame places one frame. The timestamp is in milliseconds; without one the frame follows the last.
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
			l.behind(t, millis, mulaw, now)
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
	tr.remember(millis, mulaw)
	l.place(t, mulaw, now)
}

// appendFrame places a frame whose time nobody knows behind the last one.
func (l *timeline) appendFrame(t Track, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	tr.next += tr.pad
	l.place(t, mulaw, now)
}

// place emits a frame at the end of the track.
func (l *timeline) place(t Track, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	tr.next += int64(len(mulaw))
	tr.pad, tr.heard, tr.voiced = 0, now, codec.MayBeSpeech(mulaw)
	l.drop(tr)
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

// align begins a track's clock at its first timestamp. The first track of a stream begins where it is; the
// second is placed by the clock of the first, so that both count from the same moment.
func (l *timeline) align(t Track, ts int64) {
	tr, other := &l.tracks[t], &l.tracks[trackCount-1-t]
	tr.known = true
	if !other.known {
		tr.next, tr.pad = ts, 0
		return
	}
	// The other track's clock at position 0 of the call. All that this track has so far is made silence, or
	// frames without a time.
	zero := other.next - (other.pos - other.pad)
	tr.next = min(ts, zero+tr.pos-tr.pad)
}

// gap fills the time between the last frame and one that is ahead of it by the carrier's clock, as far as
// silence has not flowed meanwhile.
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

// rebase notes that the carrier's clock was set.
func (l *timeline) rebase(tr *trackline) {
	l.n.rebased.Add(1)
	tr.rebases++
	tr.blind = tr.rebases >= maxRebases
}

// audioSeed is for sums of audio, which nobody outside can make collide.
var audioSeed = maphash.MakeSeed()

func sum(mulaw []byte) uint32 { return uint32(maphash.Bytes(audioSeed, mulaw)) }

// remember keeps the timestamp and a sum of a frame that is placed.
func (tr *trackline) remember(millis int64, mulaw []byte) {
	tr.seen[tr.seenAt], tr.sums[tr.seenAt] = millis+1, sum(mulaw)
	tr.seenAt = (tr.seenAt + 1) % seenFrames
}

// remembers tells whether a frame with this timestamp was placed, and whether one with this audio was.
func (tr *trackline) remembers(millis int64, mulaw []byte) (time, audio bool) {
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
