package events

import "encoding/json"

// An Interruption says what stopped playback early.
type Interruption string

// What can stop playback early.
const (
	BySpeech Interruption = "speech" // the caller began to speak
	ByDTMF   Interruption = "dtmf"   // the caller pressed a key
	ByClear  Interruption = "clear"  // an action said so
)

// PlaybackFinished is the body of playback.finished: the caller heard a say or a play, or a part of it.
type PlaybackFinished struct {
	ActionID      string        `json:"action_id"`
	Played        Offset        `json:"played_ms"`      // how much of it was heard: a length, not a time in the call
	InterruptedBy *Interruption `json:"interrupted_by"` // nil where nothing did
	// HeardText is the part of a say's text that was heard, as well as it is known.
	HeardText string `json:"heard_text,omitempty"`
}

// ActionFailed is the body of action.failed: something that was asked for was not done, or not to its end.
type ActionFailed struct {
	// Action is the action as it came, a JSON object, or a JSON string with the beginning of what could not be read. It
	// is shortened if it is long.
	Action    json.RawMessage `json:"action"`
	ActionID  string          `json:"action_id,omitempty"`   // empty where it never got one
	Index     int             `json:"index"`                 // its place in the list it came in, from 0; -1 if the whole list is meant
	InReplyTo string          `json:"in_reply_to,omitempty"` // id of the event that was answered; empty if it was none
	Reason    string          `json:"reason"`                // for people
}

// GatherEnd says what ended the gathering of digits.
type GatherEnd string

// What can end the gathering of digits.
const (
	GatherTerminator GatherEnd = "terminator" // the key that ends it, which is not among the digits
	GatherMaxDigits  GatherEnd = "max_digits" // there are as many as were wanted
	GatherTimeout    GatherEnd = "timeout"    // no key for too long
	GatherReplaced   GatherEnd = "replaced"   // another listen gathers
	GatherCallEnd    GatherEnd = "call_end"   // the call was over first
)

// DigitsGathered is the body of digits.gathered: the keys that a listen asked for.
type DigitsGathered struct {
	ActionID string    `json:"action_id,omitempty"`
	Digits   string    `json:"digits"` // may be empty
	EndedBy  GatherEnd `json:"ended_by"`
	At       Offset    `json:"at_ms"`
}

// Type is TypePlaybackFinished.
func (PlaybackFinished) Type() Type { return TypePlaybackFinished }

// Type is TypeActionFailed.
func (ActionFailed) Type() Type { return TypeActionFailed }

// Type is TypeDigitsGathered.
func (DigitsGathered) Type() Type { return TypeDigitsGathered }

// Stored is true.
func (PlaybackFinished) Stored() bool { return true }

// Stored is true.
func (ActionFailed) Stored() bool { return true }

// Stored is true.
func (DigitsGathered) Stored() bool { return true }
