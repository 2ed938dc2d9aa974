package transcript

import "time"

// A Word is one recognized word. Start and End count from the first sample of the track.
type Word struct {
	Text       string
	Start, End time.Duration
}

// A Result is what the recognizer heard in one stretch of audio. Interims repeat and revise the same
// stretch until a final replaces them. Any field may be missing or wrong: see the package comment.
type Result struct {
	Text       string
	Confidence float64 // 0 to 1; anything else, 0 included, means unknown
	Words      []Word  // nil where the recognizer gave none; not kept
	// Start and End bound the audio covered, silence included, from the first sample of the track.
	Start, End time.Duration
	// Final means that the text of this stretch will not change.
	Final bool
	// SpeechFinal means that the speaker finished an utterance. It implies Final.
	SpeechFinal bool
}

// An UtteranceEnd says that no word has come for a while.
type UtteranceEnd struct {
	// LastWordEnd is the end of the last word heard. It is negative where there is no word to refer to.
	LastWordEnd time.Duration
}
