package aldea

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
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

// decodeWords reads a word list. One bad word drops the list: half of the times would be worse than none.
func decodeWords(data json.RawMessage) []Word {
	if len(data) == 0 {
		return nil
	}
	if words, ok := scanWords(data); ok {
		return words
	}
	var wire []wireWord
	if json.Unmarshal(data, &wire) != nil || len(wire) == 0 {
		return nil
	}
	words := make([]Word, len(wire))
	for i, w := range wire {
		words[i] = Word(w)
	}
	return words
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

// guessOrigin tells from one result with words what its word times count from.
func guessOrigin(r *Results) WordTimes {
	const (
		certain = 500 * time.Millisecond // no recogniser is so far off
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
