package sandbox

import (
	"context"
	"time"
)

// A Source produces the text: a recognition engine or a script. It is shared by all connections and safe for concurrent use.
type Source interface {
	// Name is shown as the model's name in messages and in inspection, for instance "script".
	Name() string
	// Simulated reports whether the text is made up rather than heard in the audio.
	Simulated() bool
	// Open starts hearing one stream. An error ends the stream with close 1011. The context ends with the stream.
	Open(ctx context.Context, p Params) (Recognizer, error)
}

// A Recognizer hears one stream. One goroutine calls it, frame by frame, so nothing in it needs a lock. It may
// block while it computes: audio is queued during that time.
type Recognizer interface {
	// Hear takes the next frame, about 10 ms of mono linear16 at Params.SampleRate. voice is what the energy
	// detector says of the frame; the answer is what the recognizer makes of it, and by that answer
	// utterances begin and end. A recognizer with no opinion answers voice.
	Hear(frame []int16, voice bool) (bool, error)
	// Words returns the words of the current segment heard so far, oldest first. They may change until Final.
	// The slice belongs to the recognizer until the next call.
	Words() []Word
	// Final ends the segment at the last frame heard and returns its words; they do not change any more. What
	// is heard next belongs to the next segment; last says that nothing will be.
	Final(last bool) ([]Word, error)
	// Close releases what the recognizer holds and waits for it.
	Close() error
}

// checker is a Source that can refuse parameters before the upgrade; its error becomes a 400.
type checker interface {
	Check(p Params) error
}

// A Word is one recognized word. Start and End count from the first sample of the stream.
type Word struct {
	Text       string
	Start, End time.Duration
	Confidence float64 // 0 to 1
}

// span converts a count of samples to the time it lasts.
func span(samples int64, rate int) time.Duration {
	return time.Duration(samples/int64(rate))*time.Second + time.Duration(samples%int64(rate))*time.Second/time.Duration(rate)
}

// samplesIn converts a time to a count of samples, rounded down.
func samplesIn(d time.Duration, rate int) int64 {
	return int64(d/time.Second)*int64(rate) + int64(d%time.Second)*int64(rate)/int64(time.Second)
}
