package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of what a fault may ask for: it may come from a stranger.
const (
	maxFaultTime = 24 * time.Hour
	maxFaultSeed = 1e15 // so that a seed survives JSON readers that know only float64
)

// A faultSetting is one setting of a Fault: its name in text and in JSON, and how it is read and written. Every setting has
// one text form, and "" is what the zero value has.
type faultSetting struct {
	name string
	form form
	want string // what is possible, for errors
	set  func(f *Fault, value string) error
	get  func(f *Fault) string
}

// form is how a value looks in JSON.
type form int

const (
	formText   form = iota // a string
	formNumber             // a whole number
	formFlag               // true or false
)

// faultSettings are all settings, in the order in which they are written.
var faultSettings = []faultSetting{
	timeSetting("handshake-delay", func(f *Fault) *time.Duration { return &f.HandshakeDelay }),
	numberSetting("status", 400, 599, func(f *Fault) *int { return &f.Status }),
	timeSetting("retry-after", func(f *Fault) *time.Duration { return &f.RetryAfter }),
	flagSetting("hang", func(f *Fault) *bool { return &f.Hang }),
	flagSetting("reset", func(f *Fault) *bool { return &f.Reset }),
	flagSetting("wrong-subprotocol", func(f *Fault) *bool { return &f.WrongSubprotocol }),
	audioSetting("drop", func(f *Fault) *time.Duration { return &f.DropAfter }),
	audioSetting("close", func(f *Fault) *time.Duration { return &f.CloseAfter }),
	numberSetting("code", 1000, 4999, func(f *Fault) *int { return &f.CloseCode }),
	{"reason", formText, "a text", func(f *Fault, v string) error { f.CloseReason = v; return nil }, func(f *Fault) string { return f.CloseReason }},
	audioSetting("half-open", func(f *Fault) *time.Duration { return &f.HalfOpenAfter }),
	audioSetting("stall", func(f *Fault) *time.Duration { return &f.StallAfter }),
	timeSetting("outage", func(f *Fault) *time.Duration { return &f.Outage.For }),
	numberSetting("outage-status", 400, 599, func(f *Fault) *int { return &f.Outage.Status }),
	flagSetting("outage-drop", func(f *Fault) *bool { return &f.Outage.Drop }),
	choiceSetting("words", func(f *Fault) *Words { return &f.Words }, WordsArrays, WordsObjects, WordsEmpty, WordsAbsent, WordsRelative),
	choiceSetting("speech-final", func(f *Fault) *SpeechFinal { return &f.SpeechFinal }, SpeechFinalSame, SpeechFinalEmpty, SpeechFinalRepeated, SpeechFinalNever),
	choiceSetting("metadata", func(f *Fault) *Metadata { return &f.Metadata }, MetadataOpen, MetadataClose, MetadataBoth, MetadataNever),
	flagSetting("empty-interims", func(f *Fault) *bool { return &f.EmptyInterims }),
	flagSetting("empty-finals", func(f *Fault) *bool { return &f.EmptyFinals }),
	flagSetting("mixed", func(f *Fault) *bool { return &f.Mixed }),
	flagSetting("duplicate", func(f *Fault) *bool { return &f.Duplicate }),
	timeSetting("overlap", func(f *Fault) *time.Duration { return &f.Overlap }),
	flagSetting("unknown-type", func(f *Fault) *bool { return &f.UnknownType }),
	flagSetting("unknown-fields", func(f *Fault) *bool { return &f.UnknownFields }),
	flagSetting("invalid-json", func(f *Fault) *bool { return &f.InvalidJSON }),
	flagSetting("huge", func(f *Fault) *bool { return &f.Huge }),
	flagSetting("late-interim", func(f *Fault) *bool { return &f.LateInterim }),
	timeSetting("latency", func(f *Fault) *time.Duration { return &f.Latency }),
	timeSetting("jitter", func(f *Fault) *time.Duration { return &f.Jitter }),
	timeSetting("burst", func(f *Fault) *time.Duration { return &f.Burst }),
	choiceSetting("speed", func(f *Fault) *Speed { return &f.Speed }, SpeedClose, SpeedDelay),
	seedSetting("seed", func(f *Fault) *uint64 { return &f.Seed }),
}

// findSetting returns the setting of that name, or an error that names all.
func findSetting(name string) (faultSetting, error) {
	for _, k := range faultSettings {
		if k.name == name {
			return k, nil
		}
	}
	names := make([]string, len(faultSettings))
	for i, k := range faultSettings {
		names[i] = k.name
	}
	return faultSetting{}, fmt.Errorf("no fault has a setting %q; there are %s", name, strings.Join(names, ", "))
}

// read sets a value, refusing a second one.
func (k faultSetting) read(f *Fault, value string) error {
	if k.get(f) != "" {
		return fmt.Errorf("%s is set twice", k.name)
	}
	if err := k.set(f, value); err != nil || k.get(f) == "" {
		return fmt.Errorf("%s can not be %q, want %s", k.name, value, k.want)
	}
	return nil
}

var errValue = errors.New("not such a value")

func timeSetting(name string, at func(*Fault) *time.Duration) faultSetting {
	return faultSetting{name, formText, "a time such as 3.2s or 250ms, more than zero and at most 24h",
		func(f *Fault, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil || d <= 0 || d > maxFaultTime {
				return errValue
			}
			*at(f) = d
			return nil
		},
		func(f *Fault) string {
			if *at(f) == 0 {
				return ""
			}
			return at(f).String()
		}}
}

// audioSetting is a time of audio, or "open".
func audioSetting(name string, at func(*Fault) *time.Duration) faultSetting {
	k := timeSetting(name, at)
	set, get := k.set, k.get
	k.want = `an amount of audio such as 3.2s, more than zero and at most 24h, or "open"`
	k.set = func(f *Fault, v string) error {
		if v == "open" {
			*at(f) = AtOpen
			return nil
		}
		return set(f, v)
	}
	k.get = func(f *Fault) string {
		if *at(f) < 0 {
			return "open"
		}
		return get(f)
	}
	return k
}

func numberSetting(name string, least, most int, at func(*Fault) *int) faultSetting {
	return faultSetting{name, formNumber, fmt.Sprintf("a number from %d to %d", least, most),
		func(f *Fault, v string) error {
			n, err := strconv.Atoi(v)
			if err != nil || n < least || n > most {
				return errValue
			}
			*at(f) = n
			return nil
		},
		func(f *Fault) string {
			if *at(f) == 0 {
				return ""
			}
			return strconv.Itoa(*at(f))
		}}
}

func seedSetting(name string, at func(*Fault) *uint64) faultSetting {
	return faultSetting{name, formNumber, "a number from 1 to 1000000000000000",
		func(f *Fault, v string) error {
			n, err := strconv.ParseUint(v, 10, 64)
			if err != nil || n > maxFaultSeed {
				return errValue
			}
			*at(f) = n
			return nil
		},
		func(f *Fault) string {
			if *at(f) == 0 {
				return ""
			}
			return strconv.FormatUint(*at(f), 10)
		}}
}

func flagSetting(name string, at func(*Fault) *bool) faultSetting {
	return faultSetting{name, formFlag, "nothing but its name",
		func(f *Fault, v string) error {
			if v != "true" {
				return errValue
			}
			*at(f) = true
			return nil
		},
		func(f *Fault) string {
			if !*at(f) {
				return ""
			}
			return "true"
		}}
}

func choiceSetting[T ~string](name string, at func(*Fault) *T, choices ...T) faultSetting {
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = string(c)
	}
	return faultSetting{name, formText, "one of " + strings.Join(names, ", "),
		func(f *Fault, v string) error {
			if !slices.Contains(choices, T(v)) {
				return errValue
			}
			*at(f) = T(v)
			return nil
		},
		func(f *Fault) string { return string(*at(f)) }}
}
