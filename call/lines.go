package call

import "aldeabridge/events"

// lines are what was said on a call so far. A call keeps them until it ends, an hour of talk or more, so they are packed:
// texts lie behind each other, and of ids, which are much alike, only what is new. The zero value has none. They are not safe
// for concurrent use.
type lines struct {
	all   []line
	bytes []byte // of each line, what is new of its id, and its text
	last  string // id
}

// A line is an events.Line whose strings lie elsewhere.
type line struct {
	start, end events.Offset
	speaker    events.Speaker
	old, id    uint32 // bytes of the id that are those of the one before, and bytes behind them
	text       uint32 // bytes
}

// add appends a line.
func (l *lines) add(n events.Line) {
	old := 0
	for old < min(len(l.last), len(n.Utterance)) && l.last[old] == n.Utterance[old] {
		old++
	}
	l.last = n.Utterance
	l.bytes = append(append(l.bytes, n.Utterance[old:]...), n.Text...)
	l.all = append(l.all, line{n.Start, n.End, n.Speaker, uint32(old), uint32(len(n.Utterance) - old), uint32(len(n.Text))})
}

// len is how many there are.
func (l *lines) len() int { return len(l.all) }

// unpacked returns them as they were. It is never nil.
func (l *lines) unpacked() []events.Line {
	all := make([]events.Line, 0, len(l.all))
	id, rest := "", string(l.bytes)
	next := func(n uint32) (s string) {
		s, rest = rest[:n], rest[n:]
		return s
	}
	for _, n := range l.all {
		id = id[:n.old] + next(n.id)
		all = append(all, events.Line{Utterance: id, Speaker: n.speaker, Text: next(n.text), Start: n.start, End: n.end})
	}
	return all
}
