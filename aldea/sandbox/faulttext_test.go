package sandbox

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyFault has every setting that goes with the others.
var everyFault = Fault{
	HandshakeDelay: time.Second, WrongSubprotocol: true,
	DropAfter: 3200 * time.Millisecond, CloseAfter: AtOpen, CloseCode: 4001, CloseReason: `too "busy"; really=`,
	HalfOpenAfter: time.Minute, StallAfter: 5 * time.Second, Outage: Outage{For: 20 * time.Second, Status: 503, Drop: true},
	Words: WordsRelative, SpeechFinal: SpeechFinalRepeated, Metadata: MetadataBoth, EmptyInterims: true, EmptyFinals: true, Mixed: true,
	Duplicate: true, Overlap: 500 * time.Millisecond, UnknownType: true, UnknownFields: true, InvalidJSON: true, Huge: true, LateInterim: true,
	Latency: 200 * time.Millisecond, Jitter: 50 * time.Millisecond, Burst: time.Second, Speed: SpeedDelay, Seed: 7,
}

// planTexts feed reading, writing and fuzzing.
var planTexts = []struct {
	text string
	want []Fault
}{
	{"", nil},
	{" ;; ", nil},
	{"ok", []Fault{{}}},
	{"drop=3.2s", []Fault{{DropAfter: 3200 * time.Millisecond}}},
	{"status=503 retry-after=2s; drop=3.2s; ok", []Fault{{Status: 503, RetryAfter: 2 * time.Second}, {DropAfter: 3200 * time.Millisecond}, {}}},
	{"drop=3.2s;2x status=503;ok", []Fault{{DropAfter: 3200 * time.Millisecond}, {Status: 503}, {Status: 503}, {}}},
	{`close=10s code=1012 reason="a; b=\"c\""`, []Fault{{CloseAfter: 10 * time.Second, CloseCode: 1012, CloseReason: `a; b="c"`}}},
	{"hang;reset handshake-delay=1m", []Fault{{Hang: true}, {Reset: true, HandshakeDelay: time.Minute}}},
	{"drop=open outage=20s outage-drop", []Fault{{DropAfter: AtOpen, Outage: Outage{For: 20 * time.Second, Drop: true}}}},
	{everyFault.String(), []Fault{everyFault}},
}

func TestPlansAreReadFromText(t *testing.T) {
	for _, c := range planTexts {
		got, err := ParseFaults(c.text)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %v, %v; want %v", c.text, got, err, c.want)
		}
	}
}

func TestEverySettingSurvivesTextAndJSON(t *testing.T) {
	for _, f := range []Fault{{}, everyFault, {Status: 429, RetryAfter: time.Second}, {Hang: true}, {Reset: true}} {
		again, err := ParseFaults(f.String())
		if err != nil || len(again) != 1 || again[0] != f {
			t.Errorf("%s: got %v, %v back from text", f, again, err)
		}
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back Fault
		if err := json.Unmarshal(b, &back); err != nil || back != f {
			t.Errorf("%s: got %+v, %v back from JSON", b, back, err)
		}
	}
	exclusive := map[string]bool{"Status": true, "RetryAfter": true, "Hang": true, "Reset": true}
	v := reflect.ValueOf(everyFault)
	for i := range v.NumField() { // so that a new setting can not be forgotten here
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !exclusive[name] {
			t.Errorf("everyFault does not set %s", name)
		}
	}
}

func TestWrongPlansSayWhatIsPossible(t *testing.T) {
	for text, want := range map[string]string{
		"ok; dropp=3s":                  `fault 2: no fault has a setting "dropp"; there are handshake-delay, status`,
		"drop=soon":                     `drop can not be "soon", want an amount of audio such as 3.2s`,
		"drop=0s":                       "more than zero",
		"latency=-1s":                   "more than zero",
		"latency=25h":                   "at most 24h",
		"latency=open":                  "latency can not be",
		"drop":                          "drop wants an amount of audio",
		"hang=yes":                      "hang wants nothing but its name",
		"status=200":                    "a number from 400 to 599",
		"status=503 status=500":         "status is set twice",
		"words=backwards":               "one of arrays, objects, empty, absent, relative",
		"words=":                        "words can not be",
		"status=503 hang":               "exclude each other",
		"retry-after=2s":                "retry-after needs status",
		"status=503 retry-after=1.5s":   "whole seconds",
		"code=1011":                     "need close",
		"close=1s code=1006":            "code 1006 can not be sent",
		"close=1s code=2000":            "code 2000 can not be sent",
		"outage-drop":                   "need outage",
		`close=1s reason="x`:            "a quote is not closed",
		`close=1s reason="a"b"c"`:       "bad quotes",
		"2x":                            "a fault after it",
		"0x ok":                         "a number from 1",
		"10001x ok":                     "a number from 1 to 10000",
		"9999x ok; 9999x ok":            "at most 10000 faults",
		"ok drop=3s":                    `no fault has a setting "ok"`,
		"seed=0":                        "seed can not be",
		"close=1s reason=" + longText(): "more than 123 bytes",
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
}

func longText() string { return strings.Repeat("x", 124) }

func TestFaultsInJSONAreStrict(t *testing.T) {
	for text, want := range map[string]string{
		`{"dropp":"3s"}`:            `no fault has a setting "dropp"; there are`,
		`{"drop":3}`:                "drop can not be 3, want an amount of audio",
		`{"drop":"x"}`:              "want an amount of audio",
		`{"status":"503"}`:          "want a number from 400 to 599",
		`{"status":503.5}`:          "want a number from 400 to 599",
		`{"hang":1}`:                "hang can not be 1",
		`{"hang":"true"}`:           "hang can not be",
		`{"drop":"1s","drop":"1s"}`: "comes twice",
		`{"retry-after":"1s"}`:      "needs status",
		`[]`:                        "want a JSON object",
		`null`:                      "want a JSON object",
		`"drop=1s; ok"`:             "want one fault, got 2",
		`"drop"`:                    "drop wants",
		`{"words":{"a":1}}`:         "words can not be",
	} {
		var f Fault
		if err := json.Unmarshal([]byte(text), &f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want %q in the error", text, f, err, want)
		}
	}
	for text, want := range map[string]Fault{
		`{}`: {},
		` {"drop":"3.2s","duplicate":true,"status":null,"hang":false} `: {DropAfter: 3200 * time.Millisecond, Duplicate: true},
		`"drop=3.2s duplicate"`: {DropAfter: 3200 * time.Millisecond, Duplicate: true},
		`"ok"`:                  {},
	} {
		got := Fault{Hang: true}
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func FuzzFaults(f *testing.F) {
	for _, c := range planTexts {
		f.Add(c.text)
	}
	f.Add(`{"plan":["drop=1s",{"words":"empty"}],"fault":{"seed":3},"outage":{"for":"1s","status":503,"drop":true}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var all Faults
		if all.UnmarshalJSON([]byte(text)) == nil {
			b, err := all.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var again Faults
			if err := again.UnmarshalJSON(b); err != nil || !slices.Equal(again.Plan, all.Plan) || again.Fault != all.Fault || again.Outage != all.Outage {
				t.Errorf("%q: written as %s, read as %+v, %v", text, b, again, err)
			}
		}
		plan, err := ParseFaults(text)
		if err != nil {
			return
		}
		plan = plan[:min(len(plan), 100)] // "9999x ok" needs no more than 100 faults
		texts := make([]string, len(plan))
		for i, fault := range plan {
			texts[i] = fault.String()
		}
		again, err := ParseFaults(strings.Join(texts, ";"))
		if err != nil || !slices.Equal(again, plan) {
			t.Errorf("%q: written as %q, read as %v, %v", text, texts, again, err)
		}
	})
}
