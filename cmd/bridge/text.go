package main

import (
	"strings"
	"unicode"

	"aldeabridge/events"
)

// printable returns s as a terminal may show it: with each line break replaced by a space, and by U+FFFD other
// hidden characters. What callers say and what carriers call their calls is foreign: it could move the cursor, set the
// clipboard, hide text or turn the direction of writing.
func printable(s string) string {
	return events.MapHidden(s, func(r rune) rune {
		if strings.ContainsRune("\n\t\r\u0085\u2028\u2029", r) {
			return ' '
		}
		return unicode.ReplacementChar
	})
}

// printableLines is printable for text of many lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// bold returns s in bold, where a terminal shows it.
func bold(s string) string { return "\x1b[1m" + s + "\x1b[0m" }

// orDash stands for what is not known.
func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
