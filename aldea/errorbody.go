package aldea

import (
	"cmp"
	"encoding/json"
	"strings"
)

// errorBody is what a server says about an error, in an HTTP body or a message. Aldea documents error and
// request_id; Deepgram sends err_code, err_msg and request_id, sometimes category, message and details,
// and in messages variant and description. Values of an unexpected type count as missing.
type errorBody struct {
	Error       json.RawMessage `json:"error"`
	ErrMsg      json.RawMessage `json:"err_msg"`
	Message     json.RawMessage `json:"message"`
	Description json.RawMessage `json:"description"`
	Details     json.RawMessage `json:"details"`
	Variant     json.RawMessage `json:"variant"`
	ErrCode     json.RawMessage `json:"err_code"`
	Category    json.RawMessage `json:"category"`
	RequestID   json.RawMessage `json:"request_id"`
}

func (b *errorBody) string(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func (b *errorBody) variant() string {
	return shorten(cmp.Or(b.string(b.Variant), b.string(b.ErrCode), b.string(b.Category)))
}

// text joins what the server says to a reader, without saying anything twice.
func (b *errorBody) text() string {
	var parts []string
	for _, raw := range []json.RawMessage{b.Error, b.ErrMsg, b.Message, b.Description, b.Details} {
		if s := strings.TrimSpace(b.string(raw)); s != "" && !strings.Contains(strings.Join(parts, ": "), s) {
			parts = append(parts, s)
		}
	}
	return shorten(strings.Join(parts, ": "))
}

// id is the request's, shortened.
func (b *errorBody) id() string { return clip(b.string(b.RequestID), maxID) }

// maxErrorText bounds what an error carries of a server's text: enough to understand it in a log line.
const maxErrorText = 500

func shorten(s string) string {
	if len(s) <= maxErrorText {
		return s
	}
	return strings.ToValidUTF8(s[:maxErrorText], "") + "…"
}
