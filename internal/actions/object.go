package actions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A field is one of an object's, its value as it stands in the JSON.
type field struct {
	name string
	raw  []byte // never empty
}

// syntax says what is wrong with text that should be one JSON value, and where.
func syntax(b []byte) error {
	var value json.RawMessage
	err := json.Unmarshal(b, &value)
	var at *json.SyntaxError
	if errors.As(err, &at) && at.Offset > 0 && at.Offset < int64(len(b)) {
		return fmt.Errorf("%w, at byte %d", err, at.Offset-1)
	}
	return err
}

// split returns the fields of a well-formed JSON object, and the name of one that is there twice: programs disagree about
// which of the two counts.
func split(object []byte) (fields []field, twice *string) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil { // its brace
		return nil, nil
	}
	seen := make(map[string]bool)
	for dec.More() {
		key, err := dec.Token()
		name, isString := key.(string)
		var raw json.RawMessage
		if err != nil || !isString || dec.Decode(&raw) != nil {
			return nil, nil
		}
		if seen[name] && twice == nil {
			twice = &name
		}
		seen[name] = true
		fields = append(fields, field{name, raw})
	}
	return fields, twice
}

// elements returns the values of a well-formed JSON list, at most one more than limit.
func elements(list []byte, limit int) [][]byte {
	dec := json.NewDecoder(bytes.NewReader(list))
	if _, err := dec.Token(); err != nil { // its bracket
		return nil
	}
	var all [][]byte
	for dec.More() && len(all) <= limit {
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return nil
		}
		all = append(all, raw)
	}
	return all
}

// take removes a field.
func take(fields []field, name string) (raw []byte, rest []field, found bool) {
	for _, f := range fields {
		if f.name == name {
			raw, found = f.raw, true
			continue
		}
		rest = append(rest, f)
	}
	return raw, rest, found
}

// unquote returns what a well-formed JSON string says.
func unquote(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// kind names what sort of value JSON is.
func kind(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
