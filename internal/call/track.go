package call

import (
	"fmt"
	"sync/atomic"
	"time"

	"aldeabridge/events"
)

// track is one speaker of a stream. It has one leg at a time. When the recognition changes, the old leg is finalized and a new
// one starts at the next sample.
type track struct {
	call    *Call
	speaker events.Speaker

	next     atomic.Pointer[recognition] // from the next audio on; nil for no change
	paused   atomic.Bool                 // the recognizer receives silence instead
	finalize atomic.Bool                 // request final results at the next audio

	// Used by Audio, then by End.
	leg     *leg
	former  []*leg
	samples int64 // written so far
}

func (c *Call) startTrack(speaker events.Speaker, as *recognition) *track {
	t := &track{call: c, speaker: speaker}
	t.leg = c.startLeg(as, speaker, c.base, t.prefix())
	return t
}

// prefix returns the prefix of the utterance ids of the track's next leg.
func (t *track) prefix() string {
	prefix := t.call.prefix + "-" + string(t.speaker)
	if t.leg == nil {
		return prefix
	}
	return fmt.Sprintf("%s.%d", prefix, len(t.former)+2)
}

// now returns the end of the audio so far, from the beginning of the call.
func (t *track) now() time.Duration { return t.call.base + length(t.samples) }

// muted is µ-law silence. The recognizer receives it while transcription is paused.
var muted = func() (b [800]byte) {
	for i := range b {
		b[i] = 0xFF
	}
	return b
}()

// write passes audio to the leg.
func (t *track) write(mulaw []byte) {
	if t.next.Load() != nil {
		t.change()
	}
	t.samples += int64(len(mulaw))
	if !t.paused.Load() {
		t.leg.transcriber.Write(mulaw)
		return
	}
	if t.finalize.Swap(false) {
		t.leg.transcriber.Finalize()
	}
	for n := len(mulaw); n > 0; n -= len(muted) {
		t.leg.transcriber.Write(muted[:min(n, len(muted))])
	}
}

// pause replaces audio by silence from now on, or stops that. Final results of the audio before are requested.
func (t *track) pause(paused bool) {
	if t.paused.Swap(paused) || !paused {
		return
	}
	t.finalize.Store(true)
}

// change starts a new leg with the next recognition, unless the current leg has it already.
func (t *track) change() {
	next := t.next.Swap(nil)
	if t.leg.usesRecognition(next) {
		return
	}
	prefix := t.prefix()
	t.leg.closeSend(t.now(), events.ByListen)
	t.former = append(t.former, t.leg)
	t.leg = t.call.startLeg(next, t.speaker, t.now(), prefix)
}

// wait returns when the last result of each leg is queued.
func (t *track) wait() {
	for _, l := range append(t.former, t.leg) {
		<-l.done
	}
}
