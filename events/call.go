package events

// A Speaker is one side of a call.
type Speaker string

// The two sides of a call.
const (
	Caller Speaker = "caller" // the inbound track: the side that called
	Agent  Speaker = "agent"  // the outbound track: what the caller hears
)

// A Direction is inbound or outbound as the carrier gives it. It is empty where the carrier gives none.
type Direction string

// The directions of a call.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// A Call says which call an event belongs to. It is the same in every event of a stream.
type Call struct {
	ID        string            `json:"id"`        // the carrier's call id (Twilio: CallSid)
	StreamID  string            `json:"stream_id"` // the carrier's id of this media stream (Twilio: StreamSid)
	Carrier   string            `json:"carrier"`   // "twilio"
	From      string            `json:"from"`      // empty where unknown
	To        string            `json:"to"`        // empty where unknown
	Direction Direction         `json:"direction"` // empty where unknown
	Params    map[string]string `json:"params"`    // the carrier's custom parameters
}

// CallStarted is the body of call.started: audio can flow.
type CallStarted struct {
	Tracks     []Speaker   `json:"tracks"`
	Media      MediaFormat `json:"media"`
	Recognizer Recognizer  `json:"recognizer"`
	// Resumed says that the call had a media stream before: sequence, times and transcript go on.
	Resumed bool `json:"resumed,omitempty"`
}

// MediaFormat is the audio as the carrier sends it.
type MediaFormat struct {
	Encoding   string `json:"encoding"`    // a media type, "audio/x-mulaw"
	SampleRate int    `json:"sample_rate"` // Hz
	Channels   int    `json:"channels"`
}

// Recognizer is how speech is recognized on the call.
type Recognizer struct {
	SampleRate  int      `json:"sample_rate"` // Hz, of the linear16 audio it gets
	Language    string   `json:"language"`
	Endpointing string   `json:"endpointing"`        // milliseconds, "false", or "" for the recognizer's own default
	Keywords    []string `json:"keywords,omitempty"` // words made more likely
	// Simulated means that the text is made by a stand-in and is not what the caller said.
	Simulated bool `json:"simulated,omitempty"`
}

// DTMFReceived is the body of dtmf.received: a key was pressed.
type DTMFReceived struct {
	Digit string `json:"digit"` // one of 0-9, *, #, A-D
	At    Offset `json:"at_ms"`
}

// EndReason says what ended a call.
type EndReason string

// What can end a call.
const (
	EndStop     EndReason = "carrier_stop"   // the carrier said so
	EndClosed   EndReason = "carrier_closed" // the carrier's socket closed or broke
	EndIdle     EndReason = "idle_timeout"   // nothing came from the carrier for too long
	EndTooLong  EndReason = "max_duration"   // the call reached its longest allowed length
	EndShutdown EndReason = "shutdown"       // this server is stopping
	EndHangUp   EndReason = "hang_up"        // an action asked for it
	EndError    EndReason = "protocol_error" // the carrier's messages could not be understood
	EndInternal EndReason = "internal_error" // a fault of this program, which its log describes
)

// CallEnded is the body of call.ended, always the last event of a stream.
type CallEnded struct {
	Reason     EndReason `json:"reason"`
	Duration   Offset    `json:"duration_ms"` // of the longest track, by its samples
	Counts     Counts    `json:"counts"`
	Transcript []Line    `json:"transcript"` // every utterance, in the order of their beginnings
	// TranscriptURL is where the transcript is, if it is too long for an event: Transcript is empty then.
	TranscriptURL string `json:"transcript_url,omitempty"`
}

// Counts tells how the call went.
type Counts struct {
	Utterances      int   `json:"utterances"`
	DTMF            int   `json:"dtmf"`
	DTMFDropped     int64 `json:"dtmf_dropped,omitempty"` // keys beyond the bounds: no events
	Frames          int64 `json:"frames"`                 // media messages placed on a time line
	FramesLate      int64 `json:"frames_late"`            // dropped: their place on the time line had passed
	FramesDuplicate int64 `json:"frames_duplicate"`       // dropped: seen before
	FramesBad       int64 `json:"frames_bad"`             // dropped: payload not decodable
	MessagesSkipped int64 `json:"messages_skipped"`       // unknown, unexpected or unreadable messages
	Silence         int64 `json:"silence_ms"`             // silence put in for audio that never came
}

// A Line is one utterance as call.ended repeats it.
type Line struct {
	Utterance string  `json:"utterance_id"`
	Speaker   Speaker `json:"speaker"`
	Text      string  `json:"text"`
	Start     Offset  `json:"start_ms"`
	End       Offset  `json:"end_ms"`
}

// Type is TypeCallStarted.
func (CallStarted) Type() Type { return TypeCallStarted }

// Type is TypeDTMFReceived.
func (DTMFReceived) Type() Type { return TypeDTMFReceived }

// Type is TypeCallEnded.
func (CallEnded) Type() Type { return TypeCallEnded }

// Stored is true.
func (CallStarted) Stored() bool { return true }

// Stored is true.
func (DTMFReceived) Stored() bool { return true }

// Stored is true.
func (CallEnded) Stored() bool { return true }
