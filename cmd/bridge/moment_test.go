package main

import (
	"strings"
	"testing"
	"time"
)

func TestAMomentIsReadAsPeopleWriteIt(t *testing.T) {
	zone := time.FixedZone("here", 2*60*60)
	now := time.Date(2026, 11, 22, 12, 30, 0, 0, zone)
	for in, want := range map[string]string{
		"2026-11-20":           "2026-11-19T22:00:00.000Z",
		"2026-11-20 15:04":     "2026-11-20T13:04:00.000Z",
		"2026-11-20T15:04":     "2026-11-20T13:04:00.000Z",
		"2026-11-20 15:04:05":  "2026-11-20T13:04:05.000Z",
		"2026-11-20T15:04:05Z": "2026-11-20T15:04:05.000Z",
		"90m":                  "2026-11-22T09:00:00.000Z",
		"0s":                   "2026-11-22T10:30:00.000Z",
		"today":                "2026-11-21T22:00:00.000Z",
		"yesterday":            "2026-11-20T22:00:00.000Z",
		"7d":                   "2026-11-15T10:30:00.000Z",
		"7d ago":               "2026-11-15T10:30:00.000Z",
	} {
		if got, err := parseMoment(in, now); err != nil || (moment{got}).query() != want {
			t.Errorf("%s: got %s, %v, want %s", in, moment{got}.query(), err, want)
		}
	}
	for _, in := range []string{"", "soon", "-5m", "-1d", "2026-13-01", "99999999d", "22.11.2026"} {
		if got, err := parseMoment(in, now); err == nil || !strings.Contains(err.Error(), "24h") {
			t.Errorf("%q: got %v, %v, want an error that shows what is possible", in, got, err)
		}
	}
	if got := (moment{}).query(); got != "" {
		t.Errorf("no moment: got %q", got)
	}
}

func TestADayIsOneOfThisMachine(t *testing.T) {
	zone := time.FixedZone("here", -5*60*60)
	now := time.Date(2026, 11, 22, 0, 30, 0, 0, zone)
	for in, want := range map[string]string{"today": "2026-11-22T05:00:00.000Z", "yesterday": "2026-11-21T05:00:00.000Z", "2026-01-02": "2026-01-02T05:00:00.000Z"} {
		if got, err := parseDay(in, now); err != nil || (moment{got}).query() != want {
			t.Errorf("%s: got %s, %v, want %s", in, moment{got}.query(), err, want)
		}
	}
	if _, err := parseDay("tomorrow", now); err == nil || !strings.Contains(err.Error(), "yesterday") {
		t.Errorf("got %v, want an error that shows what is possible", err)
	}
}
