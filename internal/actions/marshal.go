package actions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Marshal returns {"actions":[…]}, what a webhook answers. Text keeps its characters: nothing is escaped for HTML. It does
// not check the actions; Parse does.
func Marshal(list ...Action) ([]byte, error) {
	b := []byte(`{"actions":[`)
	for i, a := range list {
		if i > 0 {
			b = append(b, ',')
		}
		body, err := marshal(a)
		if err != nil {
			return nil, fmt.Errorf("actions[%d]: %w", i, err)
		}
		b = append(b, `{"type":`...)
		b = strconv.AppendQuote(b, string(a.Type()))
		if len(body) > len("{}") {
			b = append(b, ',')
		}
		b = append(b, body[1:]...)
	}
	return append(b, "]}"...), nil
}

// MarshalJSON writes all three bounds, the time in milliseconds.
func (g Gather) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		MaxDigits  int    `json:"max_digits,omitempty"`
		Terminator string `json:"terminator"`
		Timeout    int64  `json:"timeout_ms"`
	}{g.MaxDigits, g.Terminator, g.Timeout.Milliseconds()})
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
