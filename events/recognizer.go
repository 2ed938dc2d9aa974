package events

import "time"

// A Cause says why recognition is in trouble, in one word for programs.
type Cause string

// RecognizerDegraded is the body of recognizer.degraded: a speaker's audio waits, because the recognizer cannot
// be reached or does not keep up. Nothing is lost yet.
type RecognizerDegraded struct {
	Speaker Speaker   `json:"speaker"`
	Since   time.Time `json:"since"` // when the trouble began
	Cause   Cause     `json:"cause"`
	Down    bool      `json:"down"`       // it has lasted for half a minute or more
	Backlog Offset    `json:"backlog_ms"` // audio that waits
}

// RecognizerRecovered is the body of recognizer.recovered: the speaker's audio is heard again, and what had
// to wait has been caught up with.
type RecognizerRecovered struct {
	Speaker Speaker   `json:"speaker"`
	Since   time.Time `json:"since"` // when the trouble began
	Cause   Cause     `json:"cause"`
	Backlog Offset    `json:"backlog_ms"` // the most audio that waited
}

// AudioGap is the body of audio.gap: a stretch of a speaker's audio that will never be transcribed, because
// it had to wait for longer than there is room.
type AudioGap struct {
	Speaker Speaker `json:"speaker"`
	From    Offset  `json:"from_ms"`
	To      Offset  `json:"to_ms"`
	Cause   Cause   `json:"cause"`
}

// Type is TypeRecognizerDegraded.
func (RecognizerDegraded) Type() Type { return TypeRecognizerDegraded }

// Type is TypeRecognizerRecovered.
func (RecognizerRecovered) Type() Type { return TypeRecognizerRecovered }

// Type is TypeAudioGap.
func (AudioGap) Type() Type { return TypeAudioGap }

// Stored is true.
func (RecognizerDegraded) Stored() bool { return true }

// Stored is true.
func (RecognizerRecovered) Stored() bool { return true }

// Stored is true.
func (AudioGap) Stored() bool { return true }
