package aldea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// An object is a JSON object, by the names of its fields in lower case. Its values are nil, bool, string, json.Number,
// object, or []any of these.
type object map[string]any

// decodeOdd reads a message in which something is not as documented: numbers are taken from strings and strings from
// numbers, the first element stands for a list where one value belongs, and one value for a list of it. What cannot be
// read counts as missing. Only what is not even nearly JSON is an error.
func decodeOdd(data []byte) (Message, error) {
	o, err := readObject(data)
	if err != nil {
		return nil, err
	}
	kind, named := o["type"].(string)
	switch strings.ToLower(kind) {
	case "results":
		return o.results(), nil
	case "speechstarted":
		return &SpeechStarted{Channel: o.channel("channel"), Timestamp: max(0, seconds(o.number("timestamp")))}, nil
	case "utteranceend":
		return utteranceEnd(o.channel("channel"), o.number("last_word_end")), nil
	case "metadata":
		return o.metadata(), nil
	case "error":
		return o.serverError(), nil
	}
	_, hasResult := o.object("channel")["alternatives"]
	switch {
	case named && kind != "":
		return nil, nil
	case hasResult:
		return o.results(), nil
	case o.text("error") != "":
		return o.serverError(), nil
	}
	return nil, nil
}

func (o object) results() *Results {
	best := o.object("channel").object("alternatives")
	r := &Results{
		Channel:      o.channel("channel_index"),
		Transcript:   best.text("transcript"),
		IsFinal:      o.flag("is_final") || o.flag("speech_final"),
		SpeechFinal:  o.flag("speech_final"),
		FromFinalize: o.flag("from_finalize"),
		RequestID:    o.object("metadata").text("request_id"),
	}
	if c := best.number("confidence"); c >= 0 && c <= 1 {
		r.Confidence = c
	}
	r.cover(o.number("start"), o.number("duration"))
	words, texts := best.words("words")
	r.Words = words
	if r.Transcript == "" {
		r.Transcript = strings.Join(texts, " ")
	}
	return r
}

func (o object) metadata() *Metadata {
	m := &Metadata{RequestID: clip(o.text("request_id"), maxID), Created: clip(o.text("created"), maxID), Channels: 1}
	if d := o.number("duration"); d > 0 {
		m.Duration = seconds(d)
	}
	if n := o.number("channels"); n >= 0 && n < 1000 {
		m.Channels = int(n)
	}
	return m
}

func (o object) serverError() *ServerError {
	var parts []string
	for _, name := range []string{"error", "err_msg", "message", "description", "details"} {
		if text := o.text(name); text != "" {
			parts = append(parts, text)
		}
	}
	return &ServerError{
		Variant: shorten(o.text("variant")), Message: shorten(strings.Join(parts, ": ")), RequestID: clip(o.text("request_id"), maxID),
	}
}

// words reads a list of words, and their texts alone. One word without times drops the times of all: half of them would
// be worse than none.
func (o object) words(name string) (words []Word, texts []string) {
	for _, v := range asList(o[name]) {
		w, ok := asWord(v)
		if w.Text != "" {
			texts = append(texts, w.Text)
		}
		if ok {
			words = append(words, w)
		}
	}
	if len(words) != len(asList(o[name])) {
		words = nil
	}
	return words, texts
}

// asWord reads a word in either shape; see wireWord. ok says that it has times.
func asWord(v any) (w Word, ok bool) {
	switch v := v.(type) {
	case string:
		return Word{Text: v}, false
	case []any:
		if len(v) == 0 {
			return w, false
		}
		w.Text = asText(v[0])
		if len(v) < 3 {
			return w, false
		}
		return timed(w.Text, asNumber(v[1])/1000, asNumber(v[2])/1000)
	case object:
		text := v.text("punctuated_word")
		if text == "" {
			text = v.text("word")
		}
		return timed(text, v.number("start"), v.number("end"))
	}
	return w, false
}

// timed is a word with its times in seconds, if they can be some.
func timed(text string, start, end float64) (Word, bool) {
	if !(start >= 0 && end >= start) { // written so that NaN is refused
		return Word{Text: text}, false
	}
	return Word{Text: text, Start: seconds(start), End: seconds(end)}, true
}

// channel is a number, or the first of a list of them.
func (o object) channel(name string) int {
	list := asList(o[name])
	if len(list) == 0 {
		return 0
	}
	if n := asNumber(list[0]); n >= 0 && n < 1000 {
		return int(n)
	}
	return 0
}

func (o object) text(name string) string    { return asText(o[name]) }
func (o object) number(name string) float64 { return asNumber(o[name]) }

// object is the field's value, or the first of a list of them; nil if there is none.
func (o object) object(name string) object {
	for _, v := range asList(o[name]) {
		if inner, ok := v.(object); ok {
			return inner
		}
	}
	return nil
}

// flag is true for what the languages of this world write for it.
func (o object) flag(name string) bool {
	switch v := o[name].(type) {
	case bool:
		return v
	case json.Number:
		return asNumber(v) != 0
	case string:
		b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(v)))
		return err == nil && b
	}
	return false
}

// asList is a list, or one value as a list of it.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// asText is a string, or a number as it was written.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// asNumber is a number, also from a string; NaN if it is none, or beyond all numbers.
func asNumber(v any) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(asText(v)), 64)
	if err != nil || math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// What is read of a message that is not as documented: those are five deep and have four values a word.
const (
	maxDepth  = 32
	maxValues = 64 << 10
)

var (
	errDepth  = fmt.Errorf("aldea: message nested more than %d deep", maxDepth)
	errValues = fmt.Errorf("aldea: message with more than %d values", maxValues)
)

// readObject reads an object, or the first of a list of them.
func readObject(data []byte) (object, error) {
	data = nearJSON(data)
	if !isObject(data) {
		return nil, errors.New("aldea: message is not an object")
	}
	r := valueReader{json: json.NewDecoder(bytes.NewReader(data))}
	r.json.UseNumber()
	v, err := r.value(maxDepth)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("aldea: message: %w", err)
	}
	for _, v := range asList(v) {
		if o, ok := v.(object); ok {
			return o, nil
		}
	}
	return nil, errors.New("aldea: message is not an object")
}

// A valueReader makes values of JSON.
type valueReader struct {
	json  *json.Decoder
	count int
}

// value reads the next value, which may be so deep.
func (r *valueReader) value(depth int) (any, error) {
	token, err := r.json.Token()
	r.count++
	switch {
	case err != nil:
		return nil, err
	case depth == 0:
		return nil, errDepth
	case r.count > maxValues:
		return nil, errValues
	case token == json.Delim('['):
		return r.list(depth - 1)
	case token == json.Delim('{'):
		return r.object(depth - 1)
	}
	return token, nil
}

func (r *valueReader) list(depth int) (any, error) {
	list := []any{}
	for r.json.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.json.Token()
	return list, err
}

// object reads an object. Of a field that is there twice, the last that is not null counts.
func (r *valueReader) object(depth int) (any, error) {
	o := object{}
	for r.json.More() {
		name, err := r.json.Token()
		if err != nil {
			return nil, err
		}
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		if text, ok := name.(string); ok && v != nil {
			o[strings.ToLower(text)] = v
		}
	}
	_, err := r.json.Token()
	return o, err
}
