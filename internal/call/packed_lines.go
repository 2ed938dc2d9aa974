package call

import (
	"encoding/binary"

	"aldeabridge/events"
)

// packedLines is a list of transcript lines in a compact encoding, because a call keeps them in memory until it ends. Each line
// is appended to packed, with its id as a prefix length and a suffix relative to the id before. The zero value is empty.
// Concurrent use is not allowed.
type packedLines struct {
	n      int
	packed []byte
	last   string // id of the last line
}

// len returns the number of lines.
func (l *packedLines) len() int { return l.n }

// add appends a line.
func (l *packedLines) add(n events.Line) {
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

// unpacked returns the lines in order. It never returns nil.
func (l *packedLines) unpacked() []events.Line {
	rest := string(l.packed) // the texts are substrings of it, without copies
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
