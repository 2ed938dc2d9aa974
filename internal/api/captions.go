package api

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// A cue is an utterance as people read it: one line, and its place on the call's time line.
type cue struct {
	start, end time.Duration
	speaker    string
	text       string
}

// cues are the utterances of t that have a text.
func cues(t types.Transcript) []cue {
	var all []cue
	for _, u := range t.Utterances {
		c := cue{speaker: oneLine(string(u.Speaker)), text: oneLine(u.Text)}
		if c.text == "" {
			continue
		}
		c.start = max(u.Start.Duration(), 0).Round(time.Millisecond)
		c.end = max(u.End.Duration().Round(time.Millisecond), c.start+time.Millisecond)
		all = append(all, c)
	}
	return all
}

// oneLine is text without line breaks, hidden characters and superfluous spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(plain(text)), " ") }

// plain returns text with line breaks and control characters replaced by spaces, without other hidden characters.
func plain(text string) string {
	return events.MapHidden(text, func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return -1
	})
}

// writeText writes a line for each utterance: [0:04.1] caller: hello.
func writeText(w io.Writer, t types.Transcript) error {
	for _, c := range cues(t) {
		if _, err := fmt.Fprintf(w, "[%s] %s: %s\n", events.Offset(c.start).Clock(), c.speaker, c.text); err != nil {
			return err
		}
	}
	return nil
}

// writeSRT writes SubRip subtitles.
func writeSRT(w io.Writer, t types.Transcript) error {
	arrow := strings.NewReplacer("-->", "->") // players look for it in every line
	for i, c := range cues(t) {
		if _, err := fmt.Fprintf(w, "%d\n%s --> %s\n%s\n\n", i+1, timestamp(c.start, ","), timestamp(c.end, ","),
			arrow.Replace(c.speaker+": "+c.text)); err != nil {
			return err
		}
	}
	return nil
}

// writeVTT writes WebVTT.
func writeVTT(w io.Writer, t types.Transcript) error {
	if _, err := io.WriteString(w, "WEBVTT\n"); err != nil {
		return err
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for i, c := range cues(t) {
		if _, err := fmt.Fprintf(w, "\n%d\n%s --> %s\n<v %s>%s\n", i+1, timestamp(c.start, "."), timestamp(c.end, "."),
			escape.Replace(c.speaker), escape.Replace(c.text)); err != nil {
			return err
		}
	}
	return nil
}

// timestamp is 01:02:03 and the milliseconds behind point.
func timestamp(d time.Duration, point string) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d%s%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, point, ms%1000)
}

// millis are whole milliseconds, as JSON has them.
func millis(o events.Offset) int64 { return o.Duration().Round(time.Millisecond).Milliseconds() }
