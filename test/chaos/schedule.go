package calltest

import (
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
)

// A Schedule is everything that will happen in a world. Make it with New, or by hand: the zero value of every
// field means nothing special.
type Schedule struct {
	Seed    uint64
	Weather Weather
	Replay  string // the command that runs this schedule again; printed with findings

	Calls []Call
	// Outages are the times when the recognizer is unreachable: connections break and new ones are refused.
	// They count from the beginning of the world.
	Outages []Span

	// ReplaySpeed is how fast the bridge is to catch up, as a multiple of real time. Zero means as fast as it can.
	ReplaySpeed float64
	// Buffer is how much audio the bridge is to keep for the recognizer. Zero means its own default.
	Buffer time.Duration
	// SampleRate is what the recognizer gets, in Hz. Zero means 16000.
	SampleRate int
	// Recognizer is how it behaves on connections that the schedule does not break. Its Source is always sandbox.Marker.
	Recognizer sandbox.Options
	// WebhookErrors is the share of webhooks that are answered 503 at first, decided by call and sequence.
	WebhookErrors float64

	// Moments are when the test wants to look at something. They are not printed.
	Moments []Moment
}

// A Moment is something a test does in the middle of a world, in a goroutine of its own.
type Moment struct {
	At time.Duration // from the beginning of the world
	Do func()
}

// A Call is one call. Times count from its first sample unless they say otherwise.
type Call struct {
	SID  string
	At   time.Duration // when it comes in, from the beginning of the world
	Legs []Leg         // the caller, and perhaps an agent; at least one

	Digits []mediatest.Digit
	HangUp mediatest.HangUp
	// What the network does to the carrier's frames. None of it may harm a word: stalls longer than the
	// bridge waits before it fills in silence have to begin in a pause of everybody.
	Jitter    time.Duration
	Duplicate float64
	Stalls    []mediatest.Span
}

// Length is how long the call is.
func (c *Call) Length() time.Duration {
	var longest time.Duration
	for i := range c.Legs {
		longest = max(longest, c.Legs[i].Length())
	}
	return longest
}

// A Leg is one speaker of a call.
type Leg struct {
	Speaker events.Speaker
	Audio   []byte // µ-law, made by Say
	Words   []Word // what is in Audio
	// Attempts are what becomes of the attempts to connect to the recognizer, in their order. Further ones
	// are healthy, and so is each that begins after the last sample: the wait after a hang-up is
	// bounded.
	Attempts []Attempt
	// Outages are the times when this leg does not reach the recognizer.
	Outages []Span
}

// Length is how long the audio is.
func (l *Leg) Length() time.Duration { return time.Duration(len(l.Audio)) * time.Second / 8000 }

// A Word is a word and when it is said, from the first sample of its leg.
type Word struct {
	Text       string
	Start, End time.Duration
}

// A Span is a stretch of time.
type Span struct{ From, To time.Duration }

// An Attempt is what becomes of one attempt to connect to the recognizer. The zero value succeeds and lives on.
type Attempt struct {
	Refuse     bool          // the network refuses it
	Hang       bool          // it is accepted, and nothing answers
	Status     int           // the HTTP answer, if not zero: 429, 503, …
	RetryAfter time.Duration // with Status; whole seconds
	// Reset and Freeze break a connection so long after it was dialled: with an error for both ends, or
	// without a word. Zero means never. A leg is not frozen so late that it is over before a bridge notices.
	Reset, Freeze time.Duration
	// Fault is how the recognizer itself misbehaves on the connection, if not as Schedule.Recognizer has it.
	Fault sandbox.Fault
}
