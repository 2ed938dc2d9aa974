package main

import (
	"fmt"
	"io"

	"github.com/mattn/go-runewidth"
)

// lines writes lines that stay and, on a terminal, a last one that grows in place. What it is given is foreign: it is
// made printable. Its methods must not be called concurrently.
type lines struct {
	out     io.Writer
	inPlace bool
	growing bool // the last line is one that the next replaces
}

// say prints a line that stays.
func (l *lines) say(prefix, text string) {
	fmt.Fprintf(l.out, "%s%s%s\n", l.gone(), printable(prefix), printable(text))
}

// grow prints a line that the next one replaces. Text that is too long loses its beginning.
func (l *lines) grow(prefix, text string) {
	if !l.inPlace {
		return
	}
	prefix, text = printable(prefix), printable(text)
	room := max(1, terminalWidth(l.out)-1-runewidth.StringWidth(prefix))
	if width := runewidth.StringWidth(text); width > room {
		text = runewidth.TruncateLeft(text, width-room+1, "…")
	}
	fmt.Fprint(l.out, l.gone()+prefix+text)
	l.growing = true
}

// clear takes the growing line away.
func (l *lines) clear() { fmt.Fprint(l.out, l.gone()) }

// gone is what takes the growing line away, to be written together with what comes instead: that does not flicker.
func (l *lines) gone() string {
	if !l.growing {
		return ""
	}
	l.growing = false
	return "\r\x1b[K"
}
