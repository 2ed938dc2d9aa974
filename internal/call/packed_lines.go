package call

import (
	"encoding/binary"

	"aldeabridge/events"
)

// lines are what was said on a call so far. A call keeps them until it ends, an hour of talk or more, so they are packed
// behind each other, without what an id shares with the one before. The zero value has none. They are not safe for
// concurrent use.
type lines struct {
	n      int
	packed []byte
	last   string // id
}

// len is how many there are.
func (l *lines) len() int { return l.n }

// add appends a line.
func (l *lines) add(n events.Line) {
	shared := 0
	for shared < min(len(l.last), len(n.Utterance)) && l.last[shared] == n.Utterance[shared] {
		shared++
	}
	b := binary.AppendVarint(l.packed, int64(shared))
	b = appendText(b, n.Utterance[shared:])
	b = appendText(b, string(n.Speaker))
	b = appendText(b, n.Text)
	b = binary.AppendVarint(b, int64(n.Start))
	l.packed = binary.AppendVarint(b, int64(n.End))
	l.last = n.Utterance
	l.n++
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}

// unpacked returns them as they were. It is never nil.
func (l *lines) unpacked() []events.Line {
	rest := string(l.packed) // which all texts are parts of
	number := func() int64 {
		n, k := binary.Varint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
		rest = rest[k:]
		return n
	}
	text := func() (s string) {
		n := number()
		s, rest = rest[:n], rest[n:]
		return s
	}
	all := make([]events.Line, 0, l.n)
	id := ""
	for range l.n {
		id = id[:number()] + text()
		all = append(all, events.Line{Utterance: id, Speaker: events.Speaker(text()), Text: text(), Start: events.Offset(number()), End: events.Offset(number())})
	}
	return all
}
