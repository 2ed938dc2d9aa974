package aldea

import "time"

// A Message is one thing the recognizer said, or something the stream has to report about it: *Results,
// *SpeechStarted, *UtteranceEnd, *Metadata, *ServerError, *Degraded, *Recovered, *Gap or *Refused. Durations are times
// on the source time line. A message belongs to the goroutine that received it.
type Message interface {
	message()
}

// Refused says that the recognizer refuses the settings that Client.Try added, and that the stream goes on with those
// before them.
type Refused struct {
	// Err is the *StatusError or *CloseError.
	Err error
}

// Results is a piece of transcript. Interims repeat and revise the same stretch until a final replaces
// them.
type Results struct {
	// Channel is the audio channel; always 0 for the mono audio that is sent.
	Channel int
	// Start and End are the stretch of audio that the result covers.
	Start, End time.Duration
	// Transcript is the text. It may be empty.
	Transcript string
	// Confidence is between 0 and 1; 0 if the server did not say.
	Confidence float64
	// Words are the words with their times. They may be missing although there is a transcript.
	Words []Word
	// IsFinal means that the text will not change. It is also set where the server set only speech_final.
	IsFinal bool
	// SpeechFinal means that the speaker finished an utterance. It may come with the last final, or later
	// with the same text or none.
	SpeechFinal bool
	// FromFinalize means that Finalize caused the result. Not every server says so.
	FromFinalize bool
	// RequestID is the recognizer's id of the connection, if it told.
	RequestID string

	// unplaced means that the server did not say where the result begins. It stands at the end of the audio sent.
	unplaced bool
}

// A Word is one word of a transcript.
type Word struct {
	Text       string
	Start, End time.Duration
}

// SpeechStarted says that the server heard speech begin. It comes only if Config.VADEvents is set.
type SpeechStarted struct {
	Channel int
	// Timestamp is when. It need not equal the start of the first word: detection and word timing differ.
	Timestamp time.Duration
}

// UtteranceEnd means that there was no speech for Config.UtteranceEnd after a word.
type UtteranceEnd struct {
	Channel int
	// LastWordEnd is the end of the last word; negative if there is none to refer to.
	LastWordEnd time.Duration
}

// Metadata describes a connection. Aldea sends it when one opens, Deepgram before it closes; it may come
// twice or never, and comes again after a reconnect.
type Metadata struct {
	RequestID string
	// Created is the server's time stamp as it was sent.
	Created string
	// Duration is the length of the audio the server counted on this connection.
	Duration time.Duration
	Channels int
	// Models are the models in use, ordered by id.
	Models []Model
}

// A Model is a recognition model as Metadata describes it. Any field may be empty.
type Model struct {
	// ID is the key in the server's map of models; empty where it sends only one.
	ID                  string
	Name, Version, Arch string
}

// ServerError is an error the server reported on an open connection. It does not end the stream.
type ServerError struct {
	// Variant is the kind of error, such as SchemaError.
	Variant string
	// Message is the text, without the key.
	Message   string
	RequestID string
}

// Degraded says that the stream is not served, and its audio waits: after three attempts to connect that
// failed one after the other, or three seconds without a connection, after two refusals, or at once when Config.MaxConnections
// are in use. It comes again, with Down set, when there has been no connection for thirty seconds. Nothing
// is lost yet.
type Degraded struct {
	// Since is when the trouble began.
	Since time.Time
	// Cause says why, for programs; Reason the same for people, without the key. It may be empty.
	Cause  Cause
	Reason string
	// Down means that it has lasted for thirty seconds or more.
	Down bool
	// Backlog is the audio that is to be sent, or to be sent again.
	Backlog time.Duration
}

// Recovered says that the trouble of an earlier Degraded is over: there is a connection, and all audio but
// the last second has been sent on it.
type Recovered struct {
	// Since is when the trouble began.
	Since time.Time
	// Cause is what the last Degraded gave as the cause.
	Cause Cause
	// Backlog is the most audio that there was to be sent.
	Backlog time.Duration
}

// A Gap is audio that no recognizer will ever turn into final results, because the buffer could not hold it
// any longer, or because the stream ended with ErrUnfinished. The results around it keep their right times.
// It comes before the first result behind it, and one outage makes one of them.
type Gap struct {
	From, To time.Duration
	Cause    Cause
}

func (*Results) message()       {}
func (*SpeechStarted) message() {}
func (*UtteranceEnd) message()  {}
func (*Metadata) message()      {}
func (*ServerError) message()   {}
func (*Degraded) message()      {}
func (*Recovered) message()     {}
func (*Gap) message()           {}
func (*Refused) message()       {}
