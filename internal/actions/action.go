package actions

import "time"

// A Type names what is to be done.
type Type string

// The types of actions.
const (
	TypeSay                 Type = "say"
	TypePlay                Type = "play"
	TypeClear               Type = "clear"
	TypeListen              Type = "listen"
	TypePauseTranscription  Type = "pause_transcription"
	TypeResumeTranscription Type = "resume_transcription"
	TypeTwiml               Type = "twiml"
	TypeRedirect            Type = "redirect"
	TypeTransfer            Type = "transfer"
	TypeHangup              Type = "hangup"
)

// An Action is one thing to do on a call: a Say, Play, Clear, Listen, PauseTranscription, ResumeTranscription, Twiml,
// Redirect, Transfer or Hangup, as a value.
type Action interface {
	// Type is the "type" of its JSON.
	Type() Type
	// Name is its "id": what the sender calls it in events about it. It is empty where none was given.
	Name() string
}

// Say speaks a text to the caller after what is queued before it.
type Say struct {
	ID       string `json:"id,omitempty"`
	Text     string `json:"text"`               // has a character that is not white space, and no control characters but tab and line ends
	Voice    string `json:"voice,omitempty"`    // the engine's name for it; empty means the configured one
	Language string `json:"language,omitempty"` // BCP 47; empty means the configured one
	// Interruptible means that the caller's voice or a key stops it. It is true unless the JSON says false.
	Interruptible bool `json:"interruptible"`
	// UnlessSuperseded means not to say it if there is a newer utterance than the one it answers.
	UnlessSuperseded bool `json:"unless_superseded,omitempty"`
}

// A Format is how the bytes of Play.Audio are to be read.
type Format string

// The formats of audio. The raw ones are 8000 Hz, mono.
const (
	WAV   Format = "wav"   // with a header that says what is inside
	MuLaw Format = "mulaw" // G.711 µ-law
	ALaw  Format = "alaw"  // G.711 A-law
	L16   Format = "l16"   // 16-bit linear, little-endian
)

// Play plays a recording to the caller after what is queued before it: either URL or Audio is set.
type Play struct {
	ID     string `json:"id,omitempty"`
	URL    string `json:"url,omitempty"`    // what it holds, its answer says
	Audio  []byte `json:"audio,omitempty"`  // base64 in JSON
	Format Format `json:"format,omitempty"` // of Audio; empty with URL
	// Interruptible and UnlessSuperseded are as those of Say.
	Interruptible    bool `json:"interruptible"`
	UnlessSuperseded bool `json:"unless_superseded,omitempty"`
}

// Clear drops what is being played and what is queued.
type Clear struct {
	ID string `json:"id,omitempty"`
}

// Listen changes how the caller is understood from now on. What is nil stays as it is; at least one is not.
type Listen struct {
	ID            string    `json:"id,omitempty"`
	Language      *string   `json:"language,omitempty"`       // one that the recognizer knows, such as "en" or "es"
	Keywords      *[]string `json:"keywords,omitempty"`       // words made more likely; empty means none
	EndpointingMS *int      `json:"endpointing_ms,omitempty"` // the silence that ends an utterance, in milliseconds
	Gather        *Gather   `json:"gather,omitempty"`
}

// Gather collects the keys that the caller presses, until one of three things happens. It is what "gather" of a listen says.
type Gather struct {
	MaxDigits  int           // after so many; 0 means no such bound
	Terminator string        // at this key, one of 0-9 * #; empty means no such key
	Timeout    time.Duration // this long after the last key, or after the beginning; whole milliseconds
}

// PauseTranscription replaces the caller's audio by silence for the recognizer, for example before a card number is said.
type PauseTranscription struct {
	ID string `json:"id,omitempty"`
}

// ResumeTranscription listens again.
type ResumeTranscription struct {
	ID string `json:"id,omitempty"`
}

// Twiml hands the call to the carrier with instructions for it.
type Twiml struct {
	ID    string `json:"id,omitempty"`
	Twiml string `json:"twiml"` // well-formed XML, at most 4000 characters; its root is Response
}

// Redirect hands the call to the carrier, which fetches its instructions from a URL.
type Redirect struct {
	ID  string `json:"id,omitempty"`
	URL string `json:"url"`
}

// Transfer connects the caller with another number.
type Transfer struct {
	ID       string `json:"id,omitempty"`
	To       string `json:"to"`                  // "+15550100001", "sip:…" or "client:…"
	CallerID string `json:"caller_id,omitempty"` // what the other side sees, "+15550100001" or "client:…"; empty means the caller's own
}

// Hangup ends the call when what is queued has been heard.
type Hangup struct {
	ID string `json:"id,omitempty"`
}

// Type is TypeSay.
func (Say) Type() Type { return TypeSay }

// Type is TypePlay.
func (Play) Type() Type { return TypePlay }

// Type is TypeClear.
func (Clear) Type() Type { return TypeClear }

// Type is TypeListen.
func (Listen) Type() Type { return TypeListen }

// Type is TypePauseTranscription.
func (PauseTranscription) Type() Type { return TypePauseTranscription }

// Type is TypeResumeTranscription.
func (ResumeTranscription) Type() Type { return TypeResumeTranscription }

// Type is TypeTwiml.
func (Twiml) Type() Type { return TypeTwiml }

// Type is TypeRedirect.
func (Redirect) Type() Type { return TypeRedirect }

// Type is TypeTransfer.
func (Transfer) Type() Type { return TypeTransfer }

// Type is TypeHangup.
func (Hangup) Type() Type { return TypeHangup }

// Name is ID.
func (a Say) Name() string { return a.ID }

// Name is ID.
func (a Play) Name() string { return a.ID }

// Name is ID.
func (a Clear) Name() string { return a.ID }

// Name is ID.
func (a Listen) Name() string { return a.ID }

// Name is ID.
func (a PauseTranscription) Name() string { return a.ID }

// Name is ID.
func (a ResumeTranscription) Name() string { return a.ID }

// Name is ID.
func (a Twiml) Name() string { return a.ID }

// Name is ID.
func (a Redirect) Name() string { return a.ID }

// Name is ID.
func (a Transfer) Name() string { return a.ID }

// Name is ID.
func (a Hangup) Name() string { return a.ID }
