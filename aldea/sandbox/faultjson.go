package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MarshalJSON writes the settings that are not zero: {"drop":"3.2s","status":503,"duplicate":true}.
func (f Fault) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for _, k := range faultSettings {
		v := k.get(&f)
		if v == "" {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if k.form == formText {
			v = quote(v)
		}
		b.WriteString(quote(k.name) + ":" + v)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes, or a string that holds one fault in its text form. It refuses names that
// are unknown or come twice, and values of the wrong kind; null and false count as not set.
func (f *Fault) UnmarshalJSON(b []byte) error {
	if text := ""; json.Unmarshal(b, &text) == nil && bytes.HasPrefix(bytes.TrimSpace(b), []byte(`"`)) {
		plan, err := ParseFaults(text)
		if err != nil {
			return err
		}
		if len(plan) != 1 {
			return fmt.Errorf("want one fault, got %d", len(plan))
		}
		*f = plan[0]
		return nil
	}
	var read Fault
	err := eachMember(b, func(name string, value json.RawMessage) error {
		k, err := findSetting(name)
		if err != nil {
			return err
		}
		return k.readJSON(&read, value)
	})
	if err != nil {
		return err
	}
	*f = read
	return read.validate()
}

// readJSON sets a value that came as JSON.
func (k faultSetting) readJSON(f *Fault, value json.RawMessage) error {
	text := string(value)
	if text == "null" || k.form == formFlag && text == "false" {
		return nil
	}
	if k.form == formFlag && text != "true" {
		return fmt.Errorf("%s can not be %s, want true or false", k.name, clip(text, 100))
	}
	quoted := strings.HasPrefix(text, `"`)
	if quoted != (k.form == formText) {
		return fmt.Errorf("%s can not be %s, want %s", k.name, clip(text, 100), k.want)
	}
	if quoted {
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
	}
	return k.read(f, text)
}

// eachMember calls take for each member of a JSON object, and refuses names that come twice.
func eachMember(b []byte, take func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string) // the decoder takes no other names
		if seen[name] {
			return fmt.Errorf("%q comes twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := take(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}
