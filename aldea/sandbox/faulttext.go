package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// healthy is the text of a connection without faults.
const healthy = "ok"

// maxFaults bounds a plan that comes as text or JSON.
const maxFaults = 10000

// ParseFaults reads a plan from text: the faults of connections in order, separated by semicolons. A fault is the word
// "ok", or settings separated by spaces, each a name alone or a name and a value:
//
//	drop=3.2s; 2x status=503 retry-after=2s; ok
//	close=10s code=1011 reason="too busy" outage=20s
//	words=objects speech-final=empty duplicate
//
// A number with an x before a fault repeats it. Values may be quoted as Go strings are. Empty text is an empty plan.
// The error says which fault is wrong and what is possible.
func ParseFaults(text string) ([]Fault, error) {
	parts, err := splitFaults(text)
	if err != nil {
		return nil, err
	}
	var plan []Fault
	for i, words := range parts {
		times, f, err := parseFault(words)
		if err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		if len(plan)+times > maxFaults {
			return nil, fmt.Errorf("a plan has at most %d faults", maxFaults)
		}
		for range times {
			plan = append(plan, f)
		}
	}
	return plan, nil
}

// parseFault reads one fault from its words, and how often it is meant.
func parseFault(words []string) (times int, f Fault, err error) {
	times = 1
	if n, ok := strings.CutSuffix(words[0], "x"); ok {
		if count, err := strconv.Atoi(n); err == nil {
			if count < 1 || count > maxFaults || len(words) == 1 {
				return 0, f, fmt.Errorf("%q wants a number from 1 to %d and a fault after it", words[0], maxFaults)
			}
			times, words = count, words[1:]
		}
	}
	if len(words) == 1 && words[0] == healthy {
		return times, f, nil
	}
	for _, word := range words {
		name, value, valued := strings.Cut(word, "=")
		k, err := findSetting(name)
		if err != nil {
			return 0, f, err
		}
		if (k.form == formFlag) == valued {
			return 0, f, fmt.Errorf("%s wants %s", k.name, k.want)
		}
		switch {
		case !valued:
			value = "true"
		case strings.HasPrefix(value, `"`):
			if value, err = strconv.Unquote(value); err != nil {
				return 0, f, fmt.Errorf("%s has a value with bad quotes", k.name)
			}
		}
		if err := k.read(&f, value); err != nil {
			return 0, f, err
		}
	}
	return times, f, f.validate()
}

// splitFaults cuts text into faults and these into words. Neither semicolons nor spaces inside quotes count.
func splitFaults(text string) ([][]string, error) {
	var parts [][]string
	var words []string
	var word strings.Builder
	endWord := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	endPart := func() {
		if endWord(); len(words) > 0 {
			parts = append(parts, words)
			words = nil
		}
	}
	quoted, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && r == ';':
			endPart()
			continue
		case !quoted && (r == ' ' || r == '\t' || r == '\n' || r == '\r'):
			endWord()
			continue
		}
		word.WriteRune(r)
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	endPart()
	return parts, nil
}

// String is the text form, which ParseFaults reads: "ok" for a healthy connection.
func (f Fault) String() string {
	var words []string
	for _, k := range faultSettings {
		switch v := k.get(&f); {
		case v == "":
		case k.form == formFlag:
			words = append(words, k.name)
		case strings.ContainsAny(v, " ;=\"\\\t\r\n") || !printable(v):
			words = append(words, k.name+"="+strconv.Quote(v))
		default:
			words = append(words, k.name+"="+v)
		}
	}
	if len(words) == 0 {
		return healthy
	}
	return strings.Join(words, " ")
}

func printable(s string) bool {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}

// validate finds settings that do not fit together.
func (f *Fault) validate() error {
	answers := 0
	for _, set := range []bool{f.Status != 0, f.Hang, f.Reset} {
		if set {
			answers++
		}
	}
	switch {
	case answers > 1:
		return errors.New("status, hang and reset exclude each other")
	case f.RetryAfter != 0 && f.Status == 0:
		return errors.New("retry-after needs status")
	case f.RetryAfter%time.Second != 0:
		return errors.New("retry-after wants whole seconds")
	case (f.CloseCode != 0 || f.CloseReason != "") && f.CloseAfter == 0:
		return errors.New("code and reason need close")
	case f.CloseCode != 0 && !sendable(f.CloseCode):
		return fmt.Errorf("code %d can not be sent; 1000 to 1003, 1007 to 1014 and 3000 to 4999 can", f.CloseCode)
	case len(f.CloseReason) > maxReason || !utf8.ValidString(f.CloseReason):
		return fmt.Errorf("reason has more than %d bytes, or is not UTF-8", maxReason)
	case f.Outage.For == 0 && f.Outage != Outage{}:
		return errors.New("outage-status and outage-drop need outage")
	}
	return nil
}

// sendable reports whether a close frame may have this code (RFC 6455 section 7.4).
func sendable(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}
