package main

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"aldeabridge/events"
)

func TestWhatIsForeignCannotSteerTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"hello":                     "hello",
		"naïve 電話 👩‍👩‍👧":            "naïve 電話 👩‍👩‍👧", // with the joiners of a family
		"\x1b[2Jgone":               "\uFFFD[2Jgone",
		"\x1b]0;title\x07":          "\uFFFD]0;title\uFFFD",
		"C1 \u009b31m":              "C1 \uFFFD31m",
		"two\nlines\r\nand\ta tab":  "two lines  and a tab",
		"over\rwritten\b\b\x7f":     "over written\uFFFD\uFFFD\uFFFD",
		"re\u200bfu\u200dnd\ufeff":  "re\uFFFDfu\uFFFDnd\uFFFD",
		"gnp.\u202egpj.exe":         "gnp.\uFFFDgpj.exe",
		"not UTF-8 \xff\x9b31m end": "not UTF-8 \uFFFD\uFFFD31m end",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got, want := printableLines("1\r\n\x1b[2J\n\n"), "1\n\uFFFD[2J\n\n"; got != want {
		t.Errorf("lines: got %q, want %q", got, want)
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("hello\x1b[2J", 1, 3)
	f.Add("\u202e\xff\n", -1, 99)
	f.Fuzz(func(t *testing.T, s string, from, to int) {
		for _, got := range []string{printable(s), highlight(s, [][2]int{{from, to}, {to, from}, {0, 1}}, func(s string) string { return s })} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, steers) {
				t.Errorf("got %q of %q", got, s)
			}
			if utf8.RuneCountInString(got) != utf8.RuneCountInString(s) {
				t.Errorf("got %q of %q, which is longer or shorter", got, s)
			}
		}
	})
}

// steers reports whether a terminal obeys a character or hides it. Joiners are seen as a part of what they join.
func steers(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' && events.Hidden(r)
}

func TestHitsAreMarkedByTheirCodePoints(t *testing.T) {
	mark := func(s string) string { return "[" + s + "]" }
	for _, tt := range []struct {
		text  string
		parts [][2]int
		want  string
	}{
		{"… für meine Rückgabe …", [][2]int{{2, 5}, {12, 20}}, "… [für] meine [Rückgabe] …"},
		{"none", nil, "none"},
		{"all", [][2]int{{0, 3}}, "[all]"},
		{"nonsense", [][2]int{{5, 2}, {-4, 1}, {0, 2}, {7, 99}, {50, 60}}, "[n][o]nsens[e]"},
		{"\x1b[1m", [][2]int{{0, 4}}, "[\uFFFD[1m]"},
	} {
		if got := highlight(tt.text, tt.parts, mark); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}
