package sandbox

import "time"

// AtOpen stands for an amount of audio and means: as soon as the stream is open, before any audio.
const AtOpen time.Duration = -1

// A Fault is how one connection misbehaves. The zero value is a healthy connection.
//
// Amounts of audio are counted in samples received on this connection, to the sample; what was due by then has
// been sent. Where several ends are set, the earliest one applies. A Fault has a text form (String, ParseFaults) and a JSON
// form with the same names; both reject unknown settings.
type Fault struct {
	// The handshake.

	// HandshakeDelay is how long the server waits before it answers the upgrade.
	HandshakeDelay time.Duration
	// Status refuses the upgrade with this HTTP status, 400 to 599. Zero accepts it.
	Status int
	// RetryAfter is sent with Status, in whole seconds, rounded up; zero sends none.
	RetryAfter time.Duration
	// Hang never answers the upgrade. It ends when the client disconnects, with Heal (then the upgrade is answered), or
	// with Close.
	Hang bool
	// Reset cuts the connection instead of answering the upgrade.
	Reset bool
	// WrongSubprotocol answers with a subprotocol that the client did not offer.
	WrongSubprotocol bool

	// The end of the stream.

	// DropAfter cuts the connection without a close frame once this much audio has been heard. Zero means never.
	DropAfter time.Duration
	// CloseAfter closes the stream in order once this much audio has been heard. Zero means never.
	CloseAfter time.Duration
	// CloseCode and CloseReason are those of CloseAfter; the code defaults to 1011. A reason has at most 123 bytes.
	CloseCode   int
	CloseReason string
	// HalfOpenAfter stops reading and writing once this much audio has been heard, as if the machine had lost its
	// network: nothing ends, nothing answers, not even pings. The connection goes on at Heal and ends with Close, or after
	// ten minutes at most. Zero means never.
	HalfOpenAfter time.Duration
	// StallAfter withholds all messages once this much audio has been heard; audio is still taken and pings are
	// still answered. Heal sends what was withheld. Zero means never.
	StallAfter time.Duration
	// Outage begins when this fault ends or stalls a stream (DropAfter, CloseAfter, HalfOpenAfter, StallAfter), or else
	// with its handshake, which it refuses, too.
	Outage Outage

	// The format of messages.

	// Words is the format of the words of a result.
	Words Words
	// SpeechFinal is how the end of an utterance is signaled.
	SpeechFinal SpeechFinal
	// Metadata is when Metadata is sent.
	Metadata Metadata
	// EmptyInterims also sends an interim without words after every second of silence.
	EmptyInterims bool
	// EmptyFinals also sends finals that hold no words: after five seconds of silence, at an end of voice without
	// words, and for a Finalize with nothing pending.
	EmptyFinals bool
	// Mixed writes each message in a random legal variant, as ProfileMixed does.
	Mixed bool

	// Strange messages.

	// Duplicate sends every final twice.
	Duplicate bool
	// Overlap lets every final begin this much early and repeat the words of the final before that lie there.
	Overlap time.Duration
	// UnknownType sends a message of an unknown type before every final.
	UnknownType bool
	// UnknownFields adds unknown fields to every message.
	UnknownFields bool
	// InvalidJSON sends a text frame that is no JSON before every final.
	InvalidJSON bool
	// Huge makes the first final a message of 200 kB, with an unknown field.
	Huge bool
	// LateInterim repeats every final as an interim after it.
	LateInterim bool

	// Time.

	// Latency delays every message, by the clock.
	Latency time.Duration
	// Jitter delays every message by up to this much more, at random. Messages stay in order.
	Jitter time.Duration
	// Burst holds messages back and sends them together, once in this time.
	Burst time.Duration
	// Speed is what happens when audio arrives faster than 1.25 times real time, half a second ahead excepted.
	Speed Speed

	// Seed is that of Jitter and Mixed. Zero derives a seed from Options.Seed and the number of the handshake.
	Seed uint64
}

// An Outage is a time in which new connections fail, including recordings. The zero value is none.
type Outage struct {
	// For is how long it lasts, by the clock.
	For time.Duration
	// Status is the HTTP status of the refusals, 400 to 599; zero cuts the connections instead.
	Status int
	// Drop also cuts the streams that run when it begins.
	Drop bool
}

// Words is the format of the words of a result.
type Words string

// The ways to write words.
const (
	WordsProfile  Words = ""         // as the profile does
	WordsArrays   Words = "arrays"   // [text, start, end] in milliseconds
	WordsObjects  Words = "objects"  // {word, start, end, confidence} in seconds
	WordsEmpty    Words = "empty"    // an empty list
	WordsAbsent   Words = "absent"   // no list
	WordsRelative Words = "relative" // arrays whose times count from the start of the result
)

// SpeechFinal is how the end of an utterance is signaled.
type SpeechFinal string

// The ways to signal the end of an utterance.
const (
	SpeechFinalProfile  SpeechFinal = ""         // as the profile does: by the last final itself, or mixed
	SpeechFinalSame     SpeechFinal = "same"     // by the last final itself
	SpeechFinalEmpty    SpeechFinal = "empty"    // by a final of no length and no words after it
	SpeechFinalRepeated SpeechFinal = "repeated" // by the same final again
	SpeechFinalNever    SpeechFinal = "never"    // not at all
)

// Metadata is when Metadata is sent.
type Metadata string

// The times for Metadata.
const (
	MetadataProfile Metadata = ""      // as the profile does
	MetadataOpen    Metadata = "open"  // before everything else
	MetadataClose   Metadata = "close" // after everything else
	MetadataBoth    Metadata = "both"
	MetadataNever   Metadata = "never"
)

// Speed is what happens to a client that sends audio faster than 1.25 times real time.
type Speed string

// The reactions to audio that is too fast.
const (
	SpeedFree  Speed = ""      // nothing
	SpeedClose Speed = "close" // close 1008
	SpeedDelay Speed = "delay" // audio is heard no faster than that, and results come late
)
