package main

import (
	"strings"
	"unicode"
)

// printable returns s as a terminal may show it. What callers say and what carriers call their calls is foreign:
// control characters could move the cursor, set the clipboard or hide text, and so could those that turn the
// direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
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
