package aldea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// decode reads one message of the server. Times stay as the connection counts them, word times as the server sent
// them. A message of a type that is not known gives nil and no error.
//
// Every field may be missing or null, and unknown ones are ignored. Where Aldea and Deepgram differ in shape, both are
// read. A field whose type neither of them documents costs only itself; see decodeOdd. odd reports that there was one,
// or that the message held more than is taken of one.
func decode(data []byte) (m Message, odd bool, err error) {
	if m, err = decodeStrict(data); err != nil {
		odd = true
		m, err = decodeOdd(data)
	}
	if r, ok := m.(*Results); ok && r.bound() {
		odd = true
	}
	return m, odd, err
}

// errNoType means that a message does not say what it is.
var errNoType = errors.New("aldea: message without a type")

// decodeStrict reads a message whose fields have the types that are documented.
func decodeStrict(data []byte) (Message, error) {
	if bytes.HasPrefix(data, []byte(`{"type":"Results"`)) && !bytes.Contains(data, []byte(`rror"`)) {
		return decodeResults(data) // nearly all that ever comes, read once
	}
	var head struct {
		Type  string          `json:"type"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("aldea: message: %w", err)
	}
	kind := strings.ToLower(head.Type)
	var text string
	if json.Unmarshal(head.Error, &text) == nil && text != "" {
		kind = "error"
		if m, err := decodeResults(data); err == nil && m.Transcript != "" {
			return m, nil // what was said counts more than what else is wrong
		}
	}
	switch kind {
	case "results":
		return orError(decodeResults(data))
	case "speechstarted":
		return decodeSpeechStarted(data)
	case "utteranceend":
		return decodeUtteranceEnd(data)
	case "metadata":
		return decodeMetadata(data)
	case "error":
		return decodeServerError(data)
	case "":
		return nil, errNoType
	}
	return nil, nil
}

// orError makes a Message of a result: a nil *Results is not a nil Message.
func orError(r *Results, err error) (Message, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

func decodeResults(data []byte) (*Results, error) {
	var wire struct {
		ChannelIndex []int   `json:"channel_index"`
		Start        float64 `json:"start"`
		Duration     float64 `json:"duration"`
		IsFinal      bool    `json:"is_final"`
		SpeechFinal  bool    `json:"speech_final"`
		FromFinalize bool    `json:"from_finalize"`
		Channel      struct {
			Alternatives []struct {
				Transcript string          `json:"transcript"`
				Confidence float64         `json:"confidence"`
				Words      json.RawMessage `json:"words"`
			} `json:"alternatives"`
		} `json:"channel"`
		Metadata struct {
			RequestID string `json:"request_id"`
		} `json:"metadata"`
	}
	wire.Start = math.NaN() // what is missing stays unknown
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("aldea: Results: %w", err)
	}
	m := &Results{
		Channel:      first(wire.ChannelIndex),
		IsFinal:      wire.IsFinal || wire.SpeechFinal,
		SpeechFinal:  wire.SpeechFinal,
		FromFinalize: wire.FromFinalize,
		RequestID:    wire.Metadata.RequestID,
	}
	m.cover(wire.Start, wire.Duration)
	if len(wire.Channel.Alternatives) > 0 {
		best := wire.Channel.Alternatives[0]
		words, err := decodeWords(best.Words)
		if err != nil {
			return nil, err
		}
		m.Transcript, m.Confidence, m.Words = best.Transcript, best.Confidence, words
	}
	return m, nil
}

// cover sets the stretch that a result covers, in seconds. A start that cannot be one leaves the result unplaced, and a
// duration that cannot be one is none.
func (r *Results) cover(start, duration float64) {
	const (
		rounding = 1.0           // second: how much before the start a server may say that audio began
		longest  = 7 * 24 * 3600 // seconds: no connection lasts that long
	)
	if !(start > -rounding && start < longest) { // written so that NaN is refused
		r.unplaced = true
		return
	}
	r.Start = max(0, seconds(start))
	r.End = r.Start
	if duration > 0 {
		r.End = max(r.Start, seconds(start+duration))
	}
}

func decodeSpeechStarted(data []byte) (Message, error) {
	var wire struct {
		Channel   []int   `json:"channel"`
		Timestamp float64 `json:"timestamp"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("aldea: SpeechStarted: %w", err)
	}
	return &SpeechStarted{Channel: first(wire.Channel), Timestamp: seconds(wire.Timestamp)}, nil
}

func decodeUtteranceEnd(data []byte) (Message, error) {
	var wire struct {
		Channel     []int   `json:"channel"`
		LastWordEnd float64 `json:"last_word_end"`
	}
	wire.LastWordEnd = -1
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("aldea: UtteranceEnd: %w", err)
	}
	return utteranceEnd(first(wire.Channel), wire.LastWordEnd), nil
}

// utteranceEnd is the message for a last word that ends at a time in seconds; negative or NaN if there is none.
func utteranceEnd(channel int, last float64) *UtteranceEnd {
	m := &UtteranceEnd{Channel: channel, LastWordEnd: -1}
	if last >= 0 {
		m.LastWordEnd = seconds(last)
	}
	return m
}

// decodeServerError reads {"type":"Error",…} and {"error":"…"}, and the fields that the HTTP error bodies
// of both services have.
func decodeServerError(data []byte) (Message, error) {
	var body errorBody
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("aldea: Error: %w", err)
	}
	return &ServerError{Variant: body.variant(), Message: body.text(), RequestID: body.id()}, nil
}

// first is element 0 of a channel list, which is 1 long with Aldea and 2 with Deepgram.
func first(channels []int) int {
	if len(channels) == 0 {
		return 0
	}
	return channels[0]
}

// seconds converts a time of the wire. What does not fit is cut off: no call lasts a century.
func seconds(s float64) time.Duration { return duration(s, time.Second) }

func duration(value float64, unit time.Duration) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	ns := value * float64(unit)
	if math.IsNaN(ns) {
		return 0
	}
	return time.Duration(math.Round(min(max(ns, -float64(century)), float64(century))))
}
