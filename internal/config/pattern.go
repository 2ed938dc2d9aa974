package config

import (
	"errors"
	"slices"
	"strings"
)

// A Pattern is a number, or with a * at its end all that begin like it.
type Pattern string

// ParsePattern reads a pattern. How the number is spaced does not matter: spaces, dashes, dots and parentheses are left out.
func ParsePattern(s string) (Pattern, error) {
	number := normal(s)
	switch i := strings.IndexByte(number, '*'); {
	case number == "":
		return "", errors.New(`it is empty: write a number such as "+15550100002", or "*" for all`)
	case i >= 0 && i < len(number)-1:
		return "", errors.New(`* stands for any ending: it can only be the last character, as in "+1555020*"`)
	}
	return Pattern(number), nil
}

// matches says whether a number that is normal is one of those that are meant.
func (p Pattern) matches(number string) bool {
	if beginning, open := strings.CutSuffix(string(p), "*"); open {
		return strings.HasPrefix(number, beginning)
	}
	return number == string(p)
}

// normal is a number without what people put into it to read it better.
func normal(number string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\u00a0-.()", r) {
			return -1
		}
		return r
	}, number)
}

// Find returns the index of the route of a call between two numbers, or -1 if there is none. A number that is
// unknown is empty.
func (c *Config) Find(from, to string) int {
	from, to = normal(from), normal(to)
	return slices.IndexFunc(c.Routes, func(r Route) bool { return fits(r.From, from) && fits(r.To, to) })
}

// fits says whether one of patterns matches, or there are none.
func fits(patterns []Pattern, number string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p Pattern) bool { return p.matches(number) })
}
