package media

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// frameJSON is a media message as Twilio writes it, with 20 ms of audio.
var frameJSON = `{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"` +
	base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x5a, 0xa5, 0x00, 0xff}, 40)) + `"},"streamSid":"MZ0"}`

// messageCases are messages of Twilio Media Streams, and what others make of them.
var messageCases = []struct {
	name, in string
	fast     bool // read by the scanner
	want     message
	bad      bool // refused
}{
	{
		name: "connected", in: `{"event":"connected","protocol":"Call","version":"1.0.0"}`,
		want: message{kind: kindConnected},
	},
	{
		name: "start",
		in: `{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC0","streamSid":"MZ0","callSid":"CA0",
			"tracks":["inbound","outbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},
			"customParameters":{"from":"+1","to":"+2","direction":"outbound-api","bridge_token":"T","k":"v"}},"streamSid":"MZ0"}`,
		want: message{kind: kindStart, streamSID: []byte("MZ0"), start: &Start{
			CallSID: "CA0", StreamSID: "MZ0", AccountSID: "AC0", From: "+1", To: "+2", Direction: "outbound",
			Params: map[string]string{"k": "v"}, Tracks: []Track{TrackInbound, TrackOutbound}, Format: mulaw, token: "T",
		}},
	},
	{
		name: "start with numbers as strings and strings as numbers, and little else",
		in: `{"event":"start","streamSid":17,"start":{"callSid":"CA0","tracks":"outbound",
			"mediaFormat":{"sampleRate":"8000","channels":"1"},"customParameters":{"n":5,"b":true,"z":null,"o":{}}}}`,
		want: message{kind: kindStart, streamSID: []byte("17"), start: &Start{
			CallSID: "CA0", StreamSID: "17", Params: map[string]string{"n": "5", "b": "true"},
			Tracks: []Track{TrackOutbound}, Format: mulaw,
		}},
	},
	{
		name: "start with whole numbers that are written with a point or an exponent",
		in:   `{"event":"start","start":{"callSid":"C","streamSid":"M","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8e3,"channels":"1.0"}}}`,
		want: message{kind: kindStart, start: &Start{
			CallSID: "C", StreamSID: "M", Params: map[string]string{}, Tracks: []Track{TrackInbound}, Format: mulaw,
		}},
	},
	{
		name: "start with numbers that cannot be",
		in:   `{"event":"start","start":{"callSid":"C","streamSid":"M","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":1e400,"channels":1.5}}}`,
		want: message{kind: kindStart, start: &Start{
			CallSID: "C", StreamSID: "M", Params: map[string]string{}, Tracks: []Track{TrackInbound}, Format: Format{Encoding: mulaw.Encoding},
		}},
	},
	{
		name: "start with another format",
		in:   `{"event":"start","start":{"callSid":"C","streamSid":"M","mediaFormat":{"encoding":"audio/L16","sampleRate":16000,"channels":"x"}}}`,
		want: message{kind: kindStart, start: &Start{
			CallSID: "C", StreamSID: "M", Params: map[string]string{}, Tracks: []Track{TrackInbound},
			Format: Format{Encoding: "audio/l16", SampleRate: 16000},
		}},
	},
	{name: "start without its object", in: `{"event":"start","streamSid":"MZ0"}`, bad: true},
	{name: "start whose object is a list", in: `{"event":"start","start":[],"streamSid":"MZ0"}`, bad: true},
	{name: "start without a call", in: `{"event":"start","start":{"streamSid":"MZ0"}}`, bad: true},
	{name: "start without a stream", in: `{"event":"start","start":{"callSid":"CA0"}}`, bad: true},
	{
		name: "start of a monstrous call",
		in:   `{"event":"start","start":{"callSid":"` + strings.Repeat("C", maxIDSize+1) + `","streamSid":"M"}}`, bad: true,
	},
	{
		name: "media",
		in:   `{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"QUJD"},"streamSid":"MZ0"}`,
		fast: true,
		want: message{kind: kindMedia, streamSID: []byte("MZ0"), timestamp: 5, hasTimestamp: true, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media in another order, with numbers and space",
		in:   " {\n\t\"streamSid\" : \"MZ0\" ,\"media\":{ \"payload\":\"QUJD\", \"timestamp\" : 40,\"chunk\":3,\"track\":\"outbound\" }\r\n, \"sequenceNumber\":4,\"event\":\"media\" } ",
		fast: true,
		want: message{
			kind: kindMedia, streamSID: []byte("MZ0"), track: TrackOutbound, timestamp: 40, hasTimestamp: true,
			payload: []byte("QUJD"), hasPayload: true,
		},
	},
	{
		name: "media with flat fields nobody knows", fast: true,
		in:   `{"event":"media","new":true,"media":{"payload":"QUJD","gain":0,"vad":false,"note":null}}`,
		want: message{kind: kindMedia, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media with nested fields nobody knows",
		in:   `{"event":"media","extra":{"media":[1,{"payload":"no"}]},"media":{"payload":"QUJD","timestamp":"20"}}`,
		want: message{kind: kindMedia, timestamp: 20, hasTimestamp: true, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media with escapes",
		in:   `{"event":"\u006dedia","media":{"payload":"\/\/\/\/"},"streamSid":"M\u005a"}`,
		want: message{kind: kindMedia, streamSID: []byte("MZ"), payload: []byte("////"), hasPayload: true},
	},
	{
		name: "media whose last payload counts",
		in:   `{"event":"media","media":{"payload":"AAAA","payload":"QUJD"}}`,
		want: message{kind: kindMedia, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media with a fraction in its timestamp",
		in:   `{"event":"media","media":{"timestamp":20.7,"payload":""}}`,
		want: message{kind: kindMedia, timestamp: 20, hasTimestamp: true, payload: []byte{}, hasPayload: true},
	},
	{
		name: "media with an exponent in its timestamp",
		in:   `{"event":"media","media":{"timestamp":1.234e3,"payload":""}}`,
		want: message{kind: kindMedia, timestamp: 1234, hasTimestamp: true, payload: []byte{}, hasPayload: true},
	},
	{
		name: "media whose timestamp is minus zero",
		in:   `{"event":"media","media":{"timestamp":-0.0,"payload":""}}`,
		want: message{kind: kindMedia, hasTimestamp: true, payload: []byte{}, hasPayload: true},
	},
	{
		name: "media whose timestamp has a huge exponent", fast: true,
		in:   `{"event":"media","media":{"timestamp":"1e400","payload":""}}`,
		want: message{kind: kindMedia, payload: []byte{}, hasPayload: true},
	},
	{
		name: "dtmf with a digit that is a number", in: `{"event":"dtmf","dtmf":{"track":"inbound_track","digit":5.0}}`,
		want: message{kind: kindDTMF, text: "5"},
	},
	{name: "dtmf with a digit that is no digit", in: `{"event":"dtmf","dtmf":{"digit":0.5}}`, bad: true},
	{
		name: "media whose timestamp is no number", fast: true,
		in:   `{"event":"media","media":{"timestamp":"soon","payload":"QUJD"}}`,
		want: message{kind: kindMedia, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media whose timestamp is negative",
		in:   `{"event":"media","media":{"timestamp":-5,"payload":"QUJD"}}`,
		want: message{kind: kindMedia, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media whose timestamp is astronomical", fast: true,
		in:   `{"event":"media","media":{"timestamp":"9223372036854775807","payload":"QUJD"}}`,
		want: message{kind: kindMedia, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media of a third track", fast: true,
		in:   `{"event":"media","media":{"track":"sideways","payload":"QUJD"}}`,
		want: message{kind: kindMedia, badTrack: true, payload: []byte("QUJD"), hasPayload: true},
	},
	{
		name: "media whose payload is a number",
		in:   `{"event":"media","media":{"payload":7,"track":"outbound"}}`,
		want: message{kind: kindMedia, track: TrackOutbound},
	},
	{
		name: "media without payload", fast: true,
		in:   `{"event":"media","media":{"track":"outbound"}}`,
		want: message{kind: kindMedia, track: TrackOutbound},
	},
	{name: "media without its object", in: `{"event":"media"}`, bad: true},
	{name: "media whose object is null", in: `{"event":"media","media":null}`, bad: true},
	{
		name: "dtmf", in: `{"event":"dtmf","streamSid":"MZ0","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}}`,
		want: message{kind: kindDTMF, streamSID: []byte("MZ0"), text: "#"},
	},
	{
		name: "dtmf with a number", in: `{"event":"dtmf","dtmf":{"digit":0}}`,
		want: message{kind: kindDTMF, text: "0"},
	},
	{name: "dtmf with two digits", in: `{"event":"dtmf","dtmf":{"digit":"12"}}`, bad: true},
	{name: "dtmf with a letter that is no key", in: `{"event":"dtmf","dtmf":{"digit":"E"}}`, bad: true},
	{name: "dtmf without its object", in: `{"event":"dtmf","dtmf":"1"}`, bad: true},
	{
		name: "mark", in: `{"event":"mark","sequenceNumber":"4","streamSid":"MZ0","mark":{"name":"utt-7 \"é\""}}`,
		want: message{kind: kindMark, streamSID: []byte("MZ0"), text: `utt-7 "é"`},
	},
	{name: "mark without a name", in: `{"event":"mark","mark":{}}`, bad: true},
	{name: "mark without its object", in: `{"event":"mark"}`, bad: true},
	{
		name: "stop", in: `{"event":"stop","sequenceNumber":"5","stop":{"accountSid":"AC0","callSid":"CA0"},"streamSid":"MZ0"}`,
		want: message{kind: kindStop, streamSID: []byte("MZ0")},
	},
	{name: "an event nobody knows", in: `{"event":"hologram","streamSid":"MZ0"}`, want: message{streamSID: []byte("MZ0")}},
	{name: "no event", in: `{}`, want: message{}},
	{name: "an event that is a number", in: `{"event":1}`, want: message{}},
	{name: "an event in capitals", in: `{"EVENT":"stop"}`, want: message{}},
	{name: "nothing", in: ``, bad: true},
	{name: "no JSON", in: `hello`, bad: true},
	{name: "a list", in: `[{"event":"stop"}]`, bad: true},
	{name: "null", in: `null`, bad: true},
	{name: "media cut short", in: `{"event":"media","media":{"payload":"QUJD"`, bad: true},
	{name: "media with something behind it", in: `{"event":"media","media":{"payload":"QUJD"}}{}`, bad: true},
	{name: "media with a comma too many", in: `{"event":"media","media":{"payload":"QUJD"},}`, bad: true},
	{name: "media with a leading zero", in: `{"event":"media","sequenceNumber":04,"media":{"payload":"QUJD"}}`, bad: true},
	{name: "media with a word nobody knows", in: `{"event":"media","x":nil,"media":{"payload":"QUJD"}}`, bad: true},
	{name: "brackets without end", in: `{"event":"media","media":` + strings.Repeat("[", 20000), bad: true},
}

func TestMessagesMeanWhatTheySay(t *testing.T) {
	for _, c := range messageCases {
		t.Run(c.name, func(t *testing.T) {
			var m message
			if got := m.scan([]byte(c.in)); got != c.fast {
				t.Errorf("read by the scanner: got %v, want %v", got, c.fast)
			}
			err := m.parse([]byte(c.in))
			if c.bad != (err != nil) || err != nil && !errors.Is(err, errMalformed) {
				t.Fatalf("error: got %v, want one: %v", err, c.bad)
			}
			if err == nil && !reflect.DeepEqual(m, c.want) {
				t.Errorf("got  %+v\nwant %+v", m, c.want)
			}
		})
	}
}

func TestAStartKeepsNoMoreParametersThanItMay(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"event":"start","start":{"callSid":"C","streamSid":"M","customParameters":{"huge":"` + strings.Repeat("x", maxParamSize) + `"`)
	for i := range 2 * maxParams {
		b.WriteString(`,"p` + strings.Repeat("x", i) + `":"v"`)
	}
	b.WriteString(`}}}`)
	var m message
	if err := m.parse([]byte(b.String())); err != nil {
		t.Fatal(err)
	}
	if got := len(m.start.Params); got != maxParams {
		t.Errorf("parameters: got %d, want %d", got, maxParams)
	}
	if _, ok := m.start.Params["huge"]; ok {
		t.Error("a parameter above the bound was kept")
	}
}

func TestTheFramePathAllocatesNothing(t *testing.T) {
	src, b := []byte(frameJSON), make([]byte, len(frameJSON))
	var m message
	got := testing.AllocsPerRun(1000, func() {
		copy(b, src)
		if err := m.parse(b); err != nil {
			t.Fatal(err)
		}
		if n, ok := decodeBase64(m.payload, m.payload); !ok || n != 160 {
			t.Fatalf("payload: got %d bytes, want 160", n)
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations a frame, want none", got)
	}
}

func FuzzMessage(f *testing.F) {
	for _, c := range messageCases {
		f.Add([]byte(c.in))
	}
	f.Add([]byte(frameJSON))
	f.Fuzz(func(t *testing.T, b []byte) {
		var fast, slow message
		accepted := fast.scan(b)
		err := slow.unmarshal(b)
		if !accepted {
			return
		}
		if !printable(fast.payload) {
			return // no JSON, or no UTF-8: a frame the scanner leaves to the base64 decoder, which refuses it
		}
		if err != nil || !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q:\nscan      %+v\nunmarshal %+v, %v", b, fast, slow, err)
		}
	})
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
