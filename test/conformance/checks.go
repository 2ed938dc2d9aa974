package conformance

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"aldeabridge/aldea"
)

// text is what was heard, as one line.
func (h heard) text() string {
	var texts []string
	for _, u := range h.utterances {
		texts = append(texts, u.Text)
	}
	return strings.Join(texts, " ")
}

// whole fails the test unless everything of s was heard once, in order and at its time, and the stream ended in order.
func (b *bench) whole(s speech, h heard) {
	b.Helper()
	b.orderly(s, h)
	if len(h.gaps) > 0 {
		b.Errorf("got gaps %v, want none", h.gaps)
	}
	if s.words == nil {
		return
	}
	if got, want := h.text(), s.text(); got != want {
		b.Errorf("got  %q\nwant %q", got, want)
		return
	}
	b.times(s.words, h)
}

// orderly checks what holds of every stream, whatever was said.
func (b *bench) orderly(s speech, h heard) {
	b.Helper()
	if !errors.Is(h.err, io.EOF) {
		b.Errorf("got %v at the end, want io.EOF", h.err)
	}
	if len(h.utterances) == 0 {
		b.Error("got no utterances")
	}
	var last time.Duration
	for _, f := range h.finals {
		if f.End < f.Start || f.End > s.length()+tolerance {
			b.Errorf("got a final from %v to %v of %v of audio", f.Start, f.End, s.length())
		}
		if f.End < last-tolerance {
			b.Errorf("got a final up to %v after one up to %v", f.End, last)
		}
		last = f.End
	}
}

// times checks the times of all words that the events have times of.
func (b *bench) times(want []word, h heard) {
	b.Helper()
	for _, u := range h.utterances {
		for _, w := range u.Words {
			i := slices.IndexFunc(want, func(said word) bool { return said.Text == w.Text })
			if i < 0 {
				continue
			}
			said := want[i]
			if d := time.Duration(w.Start) - said.Start; d < -tolerance || d > tolerance {
				b.Errorf("got %q at %v, want %v", w.Text, time.Duration(w.Start), said.Start)
			}
		}
	}
}

// gap checks that there is one gap, that it ends at to, and that only what lies in it is missing.
func (b *bench) gap(s speech, h heard, to time.Duration) {
	b.Helper()
	b.orderly(s, h)
	if len(h.gaps) != 1 {
		b.Fatalf("got gaps %v, want one", h.gaps)
	}
	g := h.gaps[0]
	slack := tolerance
	if b.target.service {
		slack = time.Second // dialling takes its time
	}
	if g.To < to-slack || g.To > to+slack {
		b.Errorf("got a gap from %v to %v, want it to end at %v", g.From, g.To, to)
	}
	if s.words == nil {
		return
	}
	heard := strings.Fields(h.text())
	for _, w := range s.words {
		inside := w.Start > g.From+tolerance && w.End < g.To-tolerance
		outside := w.End < g.From-tolerance || w.Start > g.To+tolerance
		switch n := count(heard, w.Text); {
		case inside && n > 0:
			b.Errorf("got %q, which lies in the gap from %v to %v", w.Text, g.From, g.To)
		case outside && n != 1:
			b.Errorf("got %q %d times, want it once: the gap is from %v to %v and it was said at %v", w.Text, n, g.From, g.To, w.Start)
		}
	}
	b.times(s.words, h)
}

func count(words []string, w string) int {
	n := 0
	for _, s := range words {
		if s == w {
			n++
		}
	}
	return n
}

// connections checks how many connections were made.
func (b *bench) connections(stats aldea.Stats, want int64) {
	b.Helper()
	if stats.Connections != want {
		b.Errorf("got %d connections, want %d", stats.Connections, want)
	}
}
