package aldea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// decode reads one text frame of the server. Times stay as the connection counts them, word times as the
// server sent them. A message of a type that is not known gives nil and no error.
//
// Every field may be missing or null, and unknown ones are ignored. Where Aldea and Deepgram differ in
// shape, both are read.
func decode(data []byte) (Message, error) {
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
	var text string
	if json.Unmarshal(head.Error, &text) == nil && text != "" {
		return decodeServerError(data)
	}
	switch head.Type {
	case "Results":
		return decodeResults(data)
	case "SpeechStarted":
		return decodeSpeechStarted(data)
	case "UtteranceEnd":
		return decodeUtteranceEnd(data)
	case "Metadata":
		return decodeMetadata(data)
	}
	if strings.EqualFold(head.Type, "error") {
		return decodeServerError(data)
	}
	return nil, nil
}

func decodeResults(data []byte) (Message, error) {
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
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("aldea: Results: %w", err)
	}
	m := &Results{
		Channel:      first(wire.ChannelIndex),
		Start:        seconds(wire.Start),
		End:          seconds(wire.Start + max(0, wire.Duration)),
		IsFinal:      wire.IsFinal || wire.SpeechFinal,
		SpeechFinal:  wire.SpeechFinal,
		FromFinalize: wire.FromFinalize,
		RequestID:    wire.Metadata.RequestID,
	}
	if len(wire.Channel.Alternatives) > 0 {
		best := wire.Channel.Alternatives[0]
		m.Transcript, m.Confidence, m.Words = best.Transcript, best.Confidence, decodeWords(best.Words)
	}
	return m, nil
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
		Channel     []int    `json:"channel"`
		LastWordEnd *float64 `json:"last_word_end"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("aldea: UtteranceEnd: %w", err)
	}
	m := &UtteranceEnd{Channel: first(wire.Channel), LastWordEnd: -1}
	if wire.LastWordEnd != nil && *wire.LastWordEnd >= 0 {
		m.LastWordEnd = seconds(*wire.LastWordEnd)
	}
	return m, nil
}

// decodeServerError reads {"type":"Error",…} and {"error":"…"}, and the fields that the HTTP error bodies
// of both services have.
func decodeServerError(data []byte) (Message, error) {
	var body errorBody
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("aldea: Error: %w", err)
	}
	return &ServerError{Variant: body.variant(), Message: body.text(), RequestID: body.string(body.RequestID)}, nil
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
