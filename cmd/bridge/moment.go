package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aldeabridge/internal/api/types"
)

// A moment is a time as people give it on a command line. Its zero value is none.
type moment struct{ time.Time }

// UnmarshalText reads 2026-11-22, 2026-11-22 15:04, a time with a zone as RFC 3339 has it, today, yesterday, or how
// long ago it is: 90m, 24h, 7d. Without a zone it is the time of this machine; a day is its beginning.
func (m *moment) UnmarshalText(b []byte) (err error) {
	m.Time, err = parseMoment(string(b), time.Now())
	return err
}

func parseMoment(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if day, err := parseDay(s, now); err == nil {
		return day, nil
	}
	length := strings.TrimSuffix(s, " ago")
	if ago, err := time.ParseDuration(length); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	if days, ok := strings.CutSuffix(length, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: say 2026-11-22, 2026-11-22 15:04, 2026-11-22T15:04:05Z, today, yesterday, or how long ago: 90m, 24h, 7d", s)
}

// query is the moment as the API takes it; empty for none.
func (m moment) query() string {
	if m.IsZero() {
		return ""
	}
	return m.UTC().Format("2006-01-02T15:04:05.000Z")
}

// parseDay reads 2026-11-22, today or yesterday, and returns the day's beginning in now's zone.
func parseDay(s string, now time.Time) (time.Time, error) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch s {
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, s, now.Location())
	if err != nil {
		return day, fmt.Errorf("%q is not a day: say 2026-11-22, today or yesterday", s)
	}
	return day, nil
}

// localTime is t as people read it here; a dash for none.
func localTime(t types.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format(time.DateTime)
}
