package aldea

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// WordTimes says what the word times of a result count from. Aldea does not state it.
type WordTimes int

// The origins of word times.
const (
	// WordTimesAuto decides once per connection, at the first result that can tell.
	WordTimesAuto WordTimes = iota
	// WordTimesAbsolute: from the start of the connection's audio.
	WordTimesAbsolute
	// WordTimesRelative: from the start of the result.
	WordTimesRelative
)

// errManyWords means that a list is longer than any result's.
var errManyWords = fmt.Errorf("aldea: more than %d words", maxWords)

// decodeWords reads a word list, in which every word must be as documented.
func decodeWords(data json.RawMessage) ([]Word, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if bytes.Count(data, []byte("[")) > maxWords+1 { // before room is made for them
		return nil, errManyWords
	}
	if words, ok := scanWords(data); ok {
		return words, nil
	}
	var wire []wireWord
	if err := json.Unmarshal(data, &wire); err != nil || len(wire) == 0 {
		return nil, err
	}
	words := make([]Word, len(wire))
	for i, w := range wire {
		words[i] = Word(w)
	}
	return words, nil
}

// wireWord is a word in either shape: [text, start_ms, end_ms] or {"word", "start", "end"} in seconds.
type wireWord Word

func (w *wireWord) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(data, []byte("[")):
		return w.unmarshalArray(data)
	case bytes.HasPrefix(data, []byte("{")):
		return w.unmarshalObject(data)
	}
	return errors.New("aldea: word is neither an array nor an object")
}

func (w *wireWord) unmarshalArray(data []byte) error {
	var fields []json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	if len(fields) < 3 {
		return errors.New("aldea: word has too few fields")
	}
	var start, end float64
	if err := errors.Join(
		json.Unmarshal(fields[0], &w.Text),
		json.Unmarshal(fields[1], &start),
		json.Unmarshal(fields[2], &end),
	); err != nil {
		return err
	}
	w.Start, w.End = duration(start, time.Millisecond), duration(end, time.Millisecond)
	return nil
}

func (w *wireWord) unmarshalObject(data []byte) error {
	var wire struct {
		Word       string  `json:"word"`
		Punctuated string  `json:"punctuated_word"`
		Start      float64 `json:"start"`
		End        float64 `json:"end"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*w = wireWord{Text: cmp.Or(wire.Punctuated, wire.Word), Start: seconds(wire.Start), End: seconds(wire.End)}
	return nil
}

// wordOrigin turns the word times of one connection into times that count from its start.
type wordOrigin struct {
	mode WordTimes // WordTimesAuto until it is known
}

// resolve makes the word times of r absolute and reports whether this result decided the mode. Times can
// tell the two origins apart for certain once a result starts later than a second: words well before their own
// result can only be relative to it. Until then each result is taken for what it looks like.
func (o *wordOrigin) resolve(r *Results) (decided bool) {
	if len(r.Words) == 0 {
		return false
	}
	if r.unplaced {
		o.place(r)
		return false
	}
	mode := o.mode
	if mode == WordTimesAuto {
		mode = guessOrigin(r)
		if decided = r.Start > time.Second; decided {
			o.mode = mode
		}
	}
	if mode == WordTimesRelative {
		for i := range r.Words {
			r.Words[i].Start += r.Start
			r.Words[i].End += r.Start
		}
	}
	return decided
}

// place takes the stretch of a result that does not say where it begins from its words, if their times are known to
// count from the start of the connection's audio. Else they say nothing.
func (o *wordOrigin) place(r *Results) {
	if o.mode != WordTimesAbsolute {
		r.Words = nil
		return
	}
	r.unplaced = false
	r.Start, r.End = r.Words[0].Start, r.Words[len(r.Words)-1].End
}

// guessOrigin tells from one result with words what its word times count from.
func guessOrigin(r *Results) WordTimes {
	const (
		certain = 500 * time.Millisecond // no recognizer is so far off
		slack   = 150 * time.Millisecond // some are
	)
	early := r.Start - r.Words[0].Start
	last := r.Words[len(r.Words)-1].End
	if early > certain || early > slack && last <= r.End-r.Start+slack {
		return WordTimesRelative
	}
	return WordTimesAbsolute
}

// String is the mode's name: auto, absolute or relative.
func (t WordTimes) String() string {
	switch t {
	case WordTimesAbsolute:
		return "absolute"
	case WordTimesRelative:
		return "relative"
	}
	return "auto"
}
