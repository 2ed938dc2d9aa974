package sandbox

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// Limits of a script's text: it may come from a query parameter.
const (
	maxScriptLines = 10000
	maxScriptTime  = 24 * time.Hour
)

// ReadScript is a Source that plays the script in a file, as ParseScript reads it.
func ReadScript(name string) (Source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines, err := ParseScript(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return Script(lines...), nil
}

// ParseScript reads a script from text. Lines end with a line break or a semicolon; blank lines and lines that start
// with # do not count. A line is a time and the words spoken from then on, 300 ms each, or a span and the
// words spread over it. Times are seconds since the first sample:
//
//	0.5 hello world
//	2.0-3.5 how are you
//	4.0-4.4 there|their
//
// After a bar stands what interims show first for the last word.
func ParseScript(text string) ([]Line, error) {
	var lines []Line
	scanner := bufio.NewScanner(strings.NewReader(strings.ReplaceAll(text, ";", "\n")))
	for n := 1; scanner.Scan(); n++ {
		s := strings.TrimSpace(scanner.Text())
		if s == "" || strings.HasPrefix(s, "#") {
			continue
		}
		line, err := parseLine(s)
		if err != nil {
			return nil, fmt.Errorf("script line %d: %w", n, err)
		}
		if lines = append(lines, line); len(lines) > maxScriptLines {
			return nil, fmt.Errorf("script has more than %d lines", maxScriptLines)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("script has no lines")
	}
	return lines, nil
}

func parseLine(s string) (Line, error) {
	when, text, _ := strings.Cut(strings.Replace(s, "\t", " ", 1), " ")
	text, first, _ := strings.Cut(text, "|")
	text, first = strings.TrimSpace(text), strings.TrimSpace(first)
	if text == "" {
		return Line{}, fmt.Errorf("%q has no words", s)
	}
	from, to, spanned := strings.Cut(when, "-")
	start, err := parseSeconds(from)
	if err != nil {
		return Line{}, err
	}
	line := Say(start, text)
	line.First = first
	if spanned {
		if line.End, err = parseSeconds(to); err != nil {
			return Line{}, err
		}
		if line.End < line.Start {
			return Line{}, fmt.Errorf("%q ends before it begins", when)
		}
	}
	return line, nil
}

func parseSeconds(s string) (time.Duration, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > maxScriptTime.Seconds() {
		return 0, fmt.Errorf("%q is no time in seconds", s)
	}
	return time.Duration(math.Round(v*1e6)) * time.Microsecond, nil
}
