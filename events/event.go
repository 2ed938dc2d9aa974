package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A Type names what happened. Types have dots, as Standard Webhooks asks.
type Type string

// The event types.
const (
	TypeCallStarted         Type = "call.started"
	TypeSpeechStarted       Type = "speech.started"
	TypeTranscriptInterim   Type = "transcript.interim"
	TypeUtteranceFinal      Type = "utterance.final"
	TypeDTMFReceived        Type = "dtmf.received"
	TypeDigitsGathered      Type = "digits.gathered"
	TypePlaybackFinished    Type = "playback.finished"
	TypeActionFailed        Type = "action.failed"
	TypeRecognizerDegraded  Type = "recognizer.degraded"
	TypeRecognizerRecovered Type = "recognizer.recovered"
	TypeAudioGap            Type = "audio.gap"
	TypeCallEnded           Type = "call.ended"
)

// A Body is the part of an event's data that its type decides. It marshals to one JSON object.
type Body interface {
	// Type is the type of the events that carry this body.
	Type() Type
	// Stored says whether such events have a sequence number and reach the webhook.
	Stored() bool
}

// ErrUnknownType means that JSON held an event of a type this version does not know.
var ErrUnknownType = errors.New("events: unknown type")

// An Event is one thing that happened on one call.
type Event struct {
	// ID is stable across retries and restarts. It travels beside the JSON (webhook-id), not inside.
	ID string
	// Time is when it happened. It is marshaled in UTC to the millisecond.
	Time time.Time
	// Call is the call it happened on.
	Call Call
	// Sequence counts the stored events of the call from 1. It is 0 in events that are not stored.
	Sequence int64
	// Body is what happened. It must not be nil when the event is marshaled.
	Body Body
}

// timeLayout is RFC 3339 with exactly three decimals.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON returns the envelope, minified: {"type":…,"timestamp":…,"data":{"call":…,"sequence":…,…}}.
// Text keeps its characters, but for those that are hidden: they are escaped. Nothing is escaped for HTML.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.Body == nil {
		return nil, errors.New("events: event without a body")
	}
	if year := e.Time.UTC().Year(); year < 1 || year > 9999 {
		return nil, fmt.Errorf("events: RFC 3339 cannot write the year %d", year)
	}
	if e.Call.Params == nil {
		e.Call.Params = map[string]string{} // {} rather than null
	}
	call, err := marshal(e.Call)
	if err != nil {
		return nil, err
	}
	body, err := marshal(e.Body)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(call)+len(body)+128)
	b = append(b, `{"type":`...)
	b = strconv.AppendQuote(b, string(e.Body.Type()))
	b = append(b, `,"timestamp":"`...)
	b = e.Time.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","data":{"call":`...)
	b = append(b, call...)
	if e.Sequence > 0 {
		b = append(b, `,"sequence":`...)
		b = strconv.AppendInt(b, e.Sequence, 10)
	}
	if inner := body[1 : len(body)-1]; len(inner) > 0 {
		b = append(b, ',')
		b = append(b, inner...)
	}
	return EscapeHidden(append(b, '}', '}')), nil
}

// JSON returns the bytes of MarshalJSON. Use it rather than json.Marshal, which escapes <, > and &.
func (e Event) JSON() ([]byte, error) { return e.MarshalJSON() }

// UnmarshalJSON reads what MarshalJSON wrote. Unknown fields are ignored. A type of a newer version gives
// an error that wraps ErrUnknownType. ID stays as it is.
func (e *Event) UnmarshalJSON(b []byte) error {
	var envelope struct {
		Type Type            `json:"type"`
		Time time.Time       `json:"timestamp"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &envelope); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	var common struct {
		Call     Call  `json:"call"`
		Sequence int64 `json:"sequence"`
	}
	if err := json.Unmarshal(envelope.Data, &common); err != nil {
		return fmt.Errorf("events: data of %s: %w", envelope.Type, err)
	}
	body, err := unmarshalBody(envelope.Type, envelope.Data)
	if err != nil {
		return err
	}
	e.Time, e.Call, e.Sequence, e.Body = envelope.Time, common.Call, common.Sequence, body
	return nil
}

// unmarshalBody reads the part of data that belongs to type t.
func unmarshalBody(t Type, data []byte) (Body, error) {
	for _, k := range kinds {
		if k.zero.Type() == t {
			return k.read(t, data)
		}
	}
	return nil, fmt.Errorf("%w %q", ErrUnknownType, t)
}

func bodyOf[B Body](t Type, data []byte) (Body, error) {
	var body B
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("events: data of %s: %w", t, err)
	}
	return body, nil
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
