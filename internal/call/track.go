package call

import (
	"fmt"
	"sync/atomic"
	"time"

	"aldeabridge/events"
)

// A track is one speaker of a stream. It has one leg, until somebody wants to listen differently: then the old leg
// is asked for its last words and a new one goes on from the next sample.
type track struct {
	call    *Call
	speaker events.Speaker

	next     atomic.Pointer[recognition] // from the next audio on; nil for no change
	paused   atomic.Bool                 // the recognizer hears silence instead
	finalize atomic.Bool                 // the recognizer is to be asked for what it heard so far, at the next audio

	// Audio's goroutine, then End's.
	leg     *leg
	former  []*leg
	samples int64 // written so far
}

func (c *Call) startTrack(speaker events.Speaker, as *recognition) *track {
	t := &track{call: c, speaker: speaker}
	t.leg = c.startLeg(as, speaker, c.base, t.prefix())
	return t
}

// prefix begins the ids of the utterances of the track's next leg.
func (t *track) prefix() string {
	prefix := t.call.prefix + "-" + string(t.speaker)
	if t.leg == nil {
		return prefix
	}
	return fmt.Sprintf("%s.%d", prefix, len(t.former)+2)
}

// now is the end of the audio so far, on the call's time line.
func (t *track) now() time.Duration { return t.call.base + length(t.samples) }

// muted is what the recognizer hears of a speaker who is not to be transcribed: µ-law silence.
var muted = func() (b [800]byte) {
	for i := range b {
		b[i] = 0xFF
	}
	return b
}()

// write hands on audio.
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

// pause leaves out what is said from now on, or goes on with it. What was said before is asked for.
func (t *track) pause(paused bool) {
	if t.paused.Swap(paused) || !paused {
		return
	}
	t.finalize.Store(true)
}

// change goes on with another leg, unless the present one listens that way already.
func (t *track) change() {
	next := t.next.Swap(nil)
	if t.leg.listensAs(next) {
		return
	}
	prefix := t.prefix()
	t.leg.closeSend(t.now(), events.ByListen)
	t.former = append(t.former, t.leg)
	t.leg = t.call.startLeg(next, t.speaker, t.now(), prefix)
}

// wait returns when the last word of each leg is in the queue.
func (t *track) wait() {
	for _, l := range append(t.former, t.leg) {
		<-l.done
	}
}
