package events

// SpeechStarted is the body of speech.started: a speaker began to speak.
type SpeechStarted struct {
	Speaker Speaker `json:"speaker"`
	At      Offset  `json:"at_ms"`
}

// TranscriptInterim is the body of transcript.interim: what an utterance looks like so far. Text is the
// whole utterance from its beginning, and the next interim may revise any of it.
type TranscriptInterim struct {
	Speaker   Speaker `json:"speaker"`
	Utterance string  `json:"utterance_id"` // the id of the utterance that this will become
	Text      string  `json:"text"`
	Start     Offset  `json:"start_ms"`
	End       Offset  `json:"end_ms"`
}

// UtteranceFinal is the body of utterance.final: a speaker stopped talking, and this is the text of what was said.
type UtteranceFinal struct {
	Utterance Utterance `json:"utterance"`
}

// EndedBy says what ended an utterance.
type EndedBy string

// What can end an utterance.
const (
	BySpeechFinal  EndedBy = "speech_final"  // the recognizer heard its end
	ByUtteranceEnd EndedBy = "utterance_end" // no word for a while
	ByTimeout      EndedBy = "timeout"       // the recognizer fell silent about it
	ByListen       EndedBy = "listen"        // an action changed how is listened
	ByCallEnd      EndedBy = "call_end"      // the call was over first
)

// An Utterance is what one speaker said in one go.
type Utterance struct {
	ID         string  `json:"id"`    // the same whenever this utterance is sent
	Index      int     `json:"index"` // counts the call's utterances from 1
	Speaker    Speaker `json:"speaker"`
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Language   string  `json:"language"`
	Start      Offset  `json:"start_ms"`
	End        Offset  `json:"end_ms"`
	Words      []Word  `json:"words"` // empty where the recognizer gave no times
	EndedBy    EndedBy `json:"ended_by"`
	// Confirmed is false when the recognizer could not finish: the text is the last it thought it heard.
	Confirmed bool `json:"confirmed"`
}

// A Word is one word and its place in the call.
type Word struct {
	Text  string `json:"text"`
	Start Offset `json:"start_ms"`
	End   Offset `json:"end_ms"`
}

// Type is TypeSpeechStarted.
func (SpeechStarted) Type() Type { return TypeSpeechStarted }

// Type is TypeTranscriptInterim.
func (TranscriptInterim) Type() Type { return TypeTranscriptInterim }

// Type is TypeUtteranceFinal.
func (UtteranceFinal) Type() Type { return TypeUtteranceFinal }

// Stored is false.
func (SpeechStarted) Stored() bool { return false }

// Stored is false.
func (TranscriptInterim) Stored() bool { return false }

// Stored is true.
func (UtteranceFinal) Stored() bool { return true }
