package transcript

import (
	"time"

	"aldeabridge/events"
)

// Options say how an Assembler works. The zero value works, but gives ids that only differ within one track.
type Options struct {
	// Prefix makes ids unique: the first utterance is Prefix-1, the next Prefix-2. Give each track of each
	// media stream its own.
	Prefix string
	// Speaker and Language are copied into every event.
	Speaker  events.Speaker
	Language string
	// Timeout is how long committed text waits for more before it is emitted without a sign of the
	// recognizer. It should be longer than the pause after which UtteranceEnd comes. Zero means 1.5 s;
	// negative means for ever.
	Timeout time.Duration
	// FinalizeTimeout is how long the recognizer may take to make an interim final when it is asked to. After that
	// the interim is emitted, not confirmed. Zero means 2 s.
	FinalizeTimeout time.Duration
	// MaxDuration cuts utterances that last longer. Zero means 60 s.
	MaxDuration time.Duration
	// MaxRunes cuts utterances whose text is longer, in characters. Zero means 2000.
	MaxRunes int
}

// Stats counts what an Assembler did not take as it came. The counters only rise.
type Stats struct {
	Repeats int // finals dropped whole: their audio was committed before
	Trimmed int // words dropped from finals that were committed in part
	Odd     int // results with times that could not be used
	Cut     int // utterances cut because they grew too long
	// Abandoned counts utterances with words that the recognizer never made final.
	Abandoned int
}
