package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A mistake is one that people make in YAML: how package yaml complains of it, what the line has, and what to say instead.
type mistake struct {
	complaint string         // a part of package yaml's text
	line      *regexp.Regexp // nil for any
	text      string
}

var mistakes = []mistake{
	{"found", regexp.MustCompile(`^ *\t`), "the line begins with a tab: indent with spaces"},
	{"did not find expected alphabetic or numeric character", regexp.MustCompile(`[\[,:\s-]\*`), `a text that begins with * must be in quotes, such as ["*"]`},
	{"unknown anchor", regexp.MustCompile(`[\[,:\s-]\*`), `a text that begins with * must be in quotes, such as ["*5"]`},
	{"did not find expected alphabetic or numeric character", regexp.MustCompile(`[\[,:\s-]&`), `a text that begins with & must be in quotes`},
	{"cannot start any token", regexp.MustCompile("[\\[,:\\s-][@`%]"), "a text that begins with @, % or ` must be in quotes"},
	{"mapping values are not allowed", nil, `there is a second ": " in the line, or a line above is indented otherwise: a text with ": " in it must be in quotes`},
	{"unexpected end of stream", nil, `a quote is not closed`},
	{"did not find expected ',' or", nil, `a [ or a { is not closed, or a comma is missing`},
}

// malformed is what package yaml says about a file, with its place in our form, and in plain words where a mistake is known.
func malformed(file string, data []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if at, found := strings.CutPrefix(text, "line "); found {
		number, rest, _ := strings.Cut(at, ": ")
		line, _ = strconv.Atoi(number) // 0 is an unknown line
		text = rest
	}
	lines := strings.Split(string(data), "\n")
	for _, m := range mistakes {
		if !strings.Contains(text, m.complaint) {
			continue
		}
		if at := m.at(lines, line); at > 0 {
			return fmt.Errorf("%s:%d: %s", file, at, m.text)
		}
	}
	if line > 0 {
		return fmt.Errorf("%s:%d: %s", file, line, text)
	}
	return fmt.Errorf("%s: %s", file, text)
}

// at returns the line of the mistake: line if that has it, else the first that has; 0 if none has.
func (m mistake) at(lines []string, line int) int {
	switch {
	case m.line == nil, line > 0 && line <= len(lines) && m.line.MatchString(lines[line-1]):
		return line
	}
	return 1 + slices.IndexFunc(lines, m.line.MatchString)
}
