package actions_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/internal/actions"
)

func ptr[T any](v T) *T { return &v }

var wav = append([]byte("RIFF\x24\x00\x00\x00WAVEfmt "), make([]byte, 28)...)

// good has what is accepted and what it means. It feeds the parser, the writer and the fuzzer.
var good = []struct {
	body string
	want []actions.Action
}{
	{``, nil},
	{"  \r\n", nil},
	{`OK`, nil},
	{`"OK"`, nil},
	{`["hangup",{"type":"hangup"}]`, nil},
	{`[{"type":"order"}]`, nil},
	{`[{"type":"hangup"}`, nil},
	{`{"type":"order","text":"hi"}`, nil},
	{`null`, nil},
	{`{}`, nil},
	{`{"ok":true,"ok":false,"deep":[[[[[[[[[[[[]]]]]]]]]]]]}`, nil},
	{"{\"caf\xe9\":1}", nil},
	{`{"actions":[]}`, nil},
	{`{"actions":null}`, nil},
	{"\ufeff" + `{"actions":[{"type":"clear"}]}` + "\n", []actions.Action{actions.Clear{}}},
	{
		`{"actions":[{"type":"say","text":"Grüß Gott,\n\"you\" & <me> 😀 \ud83d\ude00"}]}`,
		[]actions.Action{actions.Say{Text: "Grüß Gott,\n\"you\" & <me> 😀 😀", Interruptible: true}},
	},
	{
		`{"actions":[{"type":"say","id":"a.1:b_c-d","text":"no","voice":"en+f3","language":"en-GB","interruptible":false,"unless_superseded":true}]}`,
		[]actions.Action{actions.Say{ID: "a.1:b_c-d", Text: "no", Voice: "en+f3", Language: "en-GB", UnlessSuperseded: true}},
	},
	{
		`{"actions":[{"type":"play","url":"https://cdn.example.com/a%20b.wav?x=1&y=%22"},{"id":"n","type":"play","interruptible":false,"audio":"/38A","format":"mulaw"}]}`,
		[]actions.Action{
			actions.Play{URL: "https://cdn.example.com/a%20b.wav?x=1&y=%22", Interruptible: true},
			actions.Play{ID: "n", Audio: []byte{0xff, 0x7f, 0x00}, Format: actions.MuLaw},
		},
	},
	{
		`{"actions":[{"type":"play","audio":"` + base64.StdEncoding.EncodeToString(wav) + `"},{"type":"play","audio":"AAE=","format":"l16"},{"type":"play","audio":"1Q==","format":"alaw"}]}`,
		[]actions.Action{
			actions.Play{Audio: wav, Format: actions.WAV, Interruptible: true},
			actions.Play{Audio: []byte{0, 1}, Format: actions.L16, Interruptible: true},
			actions.Play{Audio: []byte{0xd5}, Format: actions.ALaw, Interruptible: true},
		},
	},
	{
		`{"actions":[{"type":"listen","language":"multi","keywords":["Aldea","two words"],"endpointing_ms":500,"gather":{}}]}`,
		[]actions.Action{actions.Listen{
			Language: ptr("multi"), Keywords: &[]string{"Aldea", "two words"}, EndpointingMS: ptr(500),
			Gather: &actions.Gather{Terminator: "#", Timeout: 5 * time.Second},
		}},
	},
	{
		`{"actions":[{"type":"listen","keywords":[]},{"type":"listen","id":"pin","gather":{"max_digits":4,"terminator":"","timeout_ms":1500}}]}`,
		[]actions.Action{
			actions.Listen{Keywords: &[]string{}},
			actions.Listen{ID: "pin", Gather: &actions.Gather{MaxDigits: 4, Timeout: 1500 * time.Millisecond}},
		},
	},
	{
		`{"actions":[{"type":"pause_transcription","id":"card"},{"type":"resume_transcription"}]}`,
		[]actions.Action{actions.PauseTranscription{ID: "card"}, actions.ResumeTranscription{}},
	},
	{
		`{"actions":[{"type":"twiml","twiml":"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><!-- & --><Dial><Queue a=\"1\">x &amp; y</Queue></Dial></Response>\n"}]}`,
		[]actions.Action{actions.Twiml{Twiml: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><!-- & --><Dial><Queue a=\"1\">x &amp; y</Queue></Dial></Response>\n"}},
	},
	{`{"actions":[{"type":"redirect","url":"http://app.example.com:8080/next"}]}`, []actions.Action{actions.Redirect{URL: "http://app.example.com:8080/next"}}},
	{
		`{"actions":[{"type":"transfer","to":"+15550100001"},{"type":"transfer","to":"sip:desk+1@pbx.example.com:5061;transport=tls?X-Id=1&b=2","caller_id":"+15550100002"},{"type":"transfer","to":"client:anna_1","caller_id":"client:bot"}]}`,
		[]actions.Action{
			actions.Transfer{To: "+15550100001"},
			actions.Transfer{To: "sip:desk+1@pbx.example.com:5061;transport=tls?X-Id=1&b=2", CallerID: "+15550100002"},
			actions.Transfer{To: "client:anna_1", CallerID: "client:bot"},
		},
	},
	{
		`{"actions":[{"type":"twiml","twiml":"<Response><Play digits=\"1\"/><Dial action=\"https://a.example/b\"><Conference waitUrl=\"\">x</Conference></Dial><Redirect>https://a.example/<![CDATA[?a=1&b]]></Redirect></Response>"}]}`,
		[]actions.Action{actions.Twiml{Twiml: `<Response><Play digits="1"/><Dial action="https://a.example/b"><Conference waitUrl="">x</Conference></Dial><Redirect>https://a.example/<![CDATA[?a=1&b]]></Redirect></Response>`}},
	},
	{`{"actions":[{"type":"play","url":"https://203.0.113.7/a"},{"type":"play","url":"https://[2001:db8::1]/a"},{"type":"play","url":"https://7.example.com./a"}]}`, []actions.Action{
		actions.Play{URL: "https://203.0.113.7/a", Interruptible: true}, actions.Play{URL: "https://[2001:db8::1]/a", Interruptible: true}, actions.Play{URL: "https://7.example.com./a", Interruptible: true},
	}},
	{`{"actions":[{"type":"hangup"}]}`, []actions.Action{actions.Hangup{}}},
	{`{"actions":[{"type":"listen","endpointing_ms":300.0,"gather":{"max_digits":4.0,"timeout_ms":5e3}}]}`, listens(300, 4, 5000)},
	{`{"actions":[{"type":"listen","endpointing_ms":3.00E+2,"gather":{"max_digits":40e-1,"timeout_ms":500000000e-5}}]}`, listens(300, 4, 5000)},
	{`{"actions":[{"type":"listen","endpointing_ms":0.01e3,"gather":{"max_digits":0.` + strings.Repeat("0", 1000) + `4e1001,"timeout_ms":5` +
		strings.Repeat("0", 1000) + `e-997}}]}`, listens(10, 4, 5000)},
}

// listens is one listen with these numbers.
func listens(endpointing, digits, timeout int) []actions.Action {
	return []actions.Action{actions.Listen{EndpointingMS: &endpointing, Gather: &actions.Gather{
		MaxDigits: digits, Terminator: "#", Timeout: time.Duration(timeout) * time.Millisecond,
	}}}
}

// parse reads with a guard against addresses that are written in a URL.
func parse(body []byte) ([]actions.Item, error) {
	return actions.Parse(body, actions.Options{CheckURL: func(raw string) error {
		u, err := url.Parse(raw)
		if err != nil {
			return err
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && (a.Unmap().IsLinkLocalUnicast() || a.IsLoopback() || a.IsPrivate()) {
			return errors.New("address not allowed")
		}
		return nil
	}})
}

func plain(items []actions.Item) []actions.Action {
	var all []actions.Action
	for _, i := range items {
		all = append(all, i.Action)
	}
	return all
}

func TestWhatIsAcceptedMeansWhatItSays(t *testing.T) {
	for _, tt := range good {
		items, err := parse([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: got %v, want no error", tt.body, err)
			continue
		}
		if got := plain(items); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\ngot  %#v\nwant %#v", tt.body, got, tt.want)
		}
		again(t, items)
	}
}

// again writes actions and reads them back.
func again(t *testing.T, items []actions.Item) {
	t.Helper()
	want := plain(items)
	b, err := actions.Marshal(want...)
	if err != nil {
		t.Fatalf("%#v: %v", want, err)
	}
	back, err := actions.Parse(b, actions.Options{})
	if err != nil {
		t.Fatalf("own JSON refused: %v\n%s", err, b)
	}
	if got := plain(back); !reflect.DeepEqual(got, want) {
		t.Fatalf("read back from %s\ngot  %#v\nwant %#v", b, got, want)
	}
	for _, i := range items {
		if !json.Valid(i.JSON) || len(i.JSON) > 8<<10 {
			t.Fatalf("got %d bytes of JSON, want a short JSON value: %s", len(i.JSON), i.JSON)
		}
	}
}

const known = "say, play, clear, listen, pause_transcription, resume_transcription, twiml, redirect, transfer, hangup"

// bad maps a refused input to the whole error text. A body without a brace or a bracket is one action's fields.
var bad = []struct{ body, want string }{
	// The whole.
	{`{`, `actions: not JSON: unexpected end of JSON input`},
	{`{"actions":[{"type":"hangup"}`, `actions: not JSON: unexpected end of JSON input`},
	{`{"actions":[{"type":"hangup"}]} {}`, `actions: not JSON: invalid character '{' after top-level value, at byte 32`},
	{`{"actions":[{"type":"hangup"},]}`, `actions: not JSON: invalid character ']' looking for beginning of value, at byte 30`},
	{`{actions:[]}`, `actions: not JSON: invalid character 'a' looking for beginning of object key string, at byte 1`},
	{`{"actions":[{"type":"say","text":'hi'}]}`, `actions: not JSON: invalid character '\'' looking for beginning of value, at byte 33`},
	{`{"actions":[{"type":"listen","endpointing_ms":NaN}]}`, `actions: not JSON: invalid character 'N' looking for beginning of value, at byte 46`},
	{`{"actions":[],"actions":[{"type":"hangup"}]}`, `actions: field "actions" is there twice`},
	{`{"actions":[],"ok":true}`, `actions: field "ok" is not known; known is "actions"`},
	{`{"Actions":[]}`, `actions: field "Actions" is not known; known is "actions"`},
	{`{"action":{"type":"say"}}`, `actions: field "action" is not known; known is "actions"`},
	{`{"actions":{"type":"hangup"}}`, `actions: field "actions" must be a list, not an object`},
	{`{"actions":"hangup"}`, `actions: field "actions" must be a list, not a string`},
	{`{"actions":["hangup"]}`, `actions[0]: must be an object, not a string`},
	{`{"actions":[null]}`, `actions[0]: must be an object, not null`},
	{"{\"actions\":[{\"type\":\"say\",\"text\":\"caf\xe9\"}]}", `actions: not UTF-8 at byte 37`},
	{`{"actions":[{"type":"say","text":"\ud83d!"}]}`, `actions: a string has half of a surrogate pair (\ud800 to \udfff); both halves, or the character itself, would be right`},
	{`{"actions":[{"type":"say","text":"\ude00\ud83d"}]}`, `actions: a string has half of a surrogate pair (\ud800 to \udfff); both halves, or the character itself, would be right`},
	{`{"actions":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, `actions: nested more than 8 deep`},
	{`{"actions":` + strings.Repeat(`{"a":`, 20000) + `1` + strings.Repeat("}", 20001), `actions: not JSON: invalid character '{' exceeded max depth, at byte 50006`},
	{`{"actions":[` + strings.Repeat(`{"type":"clear"},`, 50) + `{"type":"clear"}]}`, `actions: there are more than 50`},
	{`{"actions":["` + strings.Repeat("x", 4<<20) + `"]}`, `actions: 4194320 bytes are too many; at most 2097152 are read`},
	// Types.
	{`"text":"hi"`, `actions[0]: field "type" is missing; known types are ` + known},
	{`"type":"shout","text":"hi"`, `actions[0]: type "shout" is not known; known are ` + known},
	{`"type":"Say","text":"hi"`, `actions[0]: type "Say" is not known; known are ` + known},
	{`"type":"` + strings.Repeat("é", 100) + `"`, `actions[0]: type "` + strings.Repeat("é", 40) + `…" is not known; known are ` + known},
	{`"type":7`, `actions[0]: field "type" must be a string, not a number`},
	{`"type":"say","type":"hangup","text":"hi"`, `actions[0]: field "type" is there twice`},
	// Fields.
	{`"type":"say","txt":"hi"`, `actions[0] (say): field "txt" is not known; known are id, text, voice, language, interruptible, unless_superseded`},
	{`"type":"say","text":"hi","TEXT":"ho"`, `actions[0] (say): field "TEXT" is not known; known are id, text, voice, language, interruptible, unless_superseded`},
	{`"type":"hangup","after_ms":5`, `actions[0] (hangup): field "after_ms" is not known; known are id`},
	{`"type":"say","text":"hi","text":"ho"`, `actions[0]: field "text" is there twice`},
	{`"type":"say","text":"hi","te\u0078t":"ho"`, `actions[0]: field "text" is there twice`},
	{`"type":"clear","id":""`, `actions[0] (clear): field "id" must be at most 64 letters, digits and . _ : -`},
	{`"type":"clear","id":"a b"`, `actions[0] (clear): field "id" must be at most 64 letters, digits and . _ : -`},
	{`"type":"clear","id":1`, `actions[0] (clear): field "id" must be a string, not a number`},
	// say
	{`"type":"say"`, `actions[0] (say): field "text" is missing`},
	{`"type":"say","text":null`, `actions[0] (say): field "text" must be a string, not null`},
	{`"type":"say","text":["hi"]`, `actions[0] (say): field "text" must be a string, not a list`},
	{`"type":"say","text":" \n\t"`, `actions[0] (say): field "text" is empty`},
	{`"type":"say","text":"a\u0000b"`, `actions[0] (say): field "text" has the control character U+0000 at byte 1; only tab and line ends are allowed`},
	{`"type":"say","text":"\u009b31m"`, `actions[0] (say): field "text" has the control character U+009B at byte 0; only tab and line ends are allowed`},
	{`"type":"say","text":"` + strings.Repeat("ä", 5001) + `"`, `actions[0] (say): field "text" has 5001 characters; at most 5000 are allowed`},
	{`"type":"say","text":"hi","voice":"../../etc/passwd"`, `actions[0] (say): field "voice" must be an engine's name for a voice: letters, digits and . _ + - (at most 100)`},
	{`"type":"say","text":"hi","voice":"-w/tmp/x"`, `actions[0] (say): field "voice" must be an engine's name for a voice: letters, digits and . _ + - (at most 100)`},
	{`"type":"say","text":"hi","language":"English (UK)"`, `actions[0] (say): field "language" must be a language such as "en" or "en-GB"`},
	{`"type":"say","text":"hi","interruptible":"no"`, `actions[0] (say): field "interruptible" must be true or false, not a string`},
	{`"type":"say","text":"hi","unless_superseded":1`, `actions[0] (say): field "unless_superseded" must be true or false, not a number`},
	// play
	{`"type":"play"`, `actions[0] (play): needs "url" or "audio"`},
	{`"type":"play","url":"https://example.com/a","audio":"/w=="`, `actions[0] (play): has "url" and "audio"; it needs one of them`},
	{`"type":"play","url":"https://example.com/a","format":"wav"`, `actions[0] (play): field "format" goes with "audio"; what a URL holds, its answer says`},
	{`"type":"play","url":"file:///etc/passwd"`, `actions[0] (play): field "url" must begin with https://`},
	{`"type":"play","url":"FILE:/etc/passwd"`, `actions[0] (play): field "url" must begin with https://`},
	{`"type":"play","url":"/hello.wav"`, `actions[0] (play): field "url" must begin with https://`},
	{`"type":"play","url":"http://169.254.169.254/latest/meta-data/"`, `actions[0] (play): field "url" is refused: address not allowed`},
	{`"type":"play","url":"http://[fe80::1]/"`, `actions[0] (play): field "url" is refused: address not allowed`},
	{`"type":"play","url":"https:///a"`, `actions[0] (play): field "url" has no host`},
	{`"type":"play","url":"https://user:secret@exa mple.com/"`, `actions[0] (play): field "url" is not a URL; odd characters in it must be written %XX`},
	{`"type":"play","url":"https://example.com/\r\nX: y"`, `actions[0] (play): field "url" is not a URL; odd characters in it must be written %XX`},
	{`"type":"play","url":"https://example.com/` + strings.Repeat("x", 2000) + `"`, `actions[0] (play): field "url" has 2020 bytes; at most 2000 are allowed`},
	{`"type":"play","audio":""`, `actions[0] (play): field "audio" is empty`},
	{`"type":"play","audio":"_w==","format":"mulaw"`, `actions[0] (play): field "audio" must be base64 (RFC 4648 section 4, with padding)`},
	{`"type":"play","audio":"/w","format":"mulaw"`, `actions[0] (play): field "audio" must be base64 (RFC 4648 section 4, with padding)`},
	{`"type":"play","audio":"/w=="`, `actions[0] (play): field "audio" is not a WAV file; raw audio needs "format": "mulaw", "alaw" or "l16"`},
	{`"type":"play","audio":"/w==","format":"l16"`, `actions[0] (play): field "audio" has 1 bytes; l16 needs two a sample`},
	{`"type":"play","audio":"/w==","format":"mp3"`, `actions[0] (play): field "format" must be one of "wav", "mulaw", "alaw", "l16"`},
	{`"type":"play","format":"mulaw","audio":"` + strings.Repeat("/38A", 1<<18+1<<17) + `"`, `actions[0] (play): field "audio" is too long: at most 1048576 bytes are allowed, before base64`},
	// listen
	{`"type":"listen"`, `actions[0] (listen): changes nothing; it needs "language", "keywords", "endpointing_ms" or "gather"`},
	{`"type":"listen","language":null`, `actions[0] (listen): field "language" must be a string, not null`},
	{`"type":"listen","keywords":"Aldea"`, `actions[0] (listen): field "keywords" must be a list of strings, not a string`},
	{`"type":"listen","keywords":["a",""]`, `actions[0] (listen): field "keywords" has a bad word at 1: it is empty`},
	{`"type":"listen","keywords":[["a"]]`, `actions[0] (listen): field "keywords" has a bad word at 0: it must be a string, not a list`},
	{`"type":"listen","keywords":[` + strings.Repeat(`"a",`, 100) + `"a"]`, `actions[0] (listen): field "keywords" has more than 100`},
	{`"type":"listen","endpointing_ms":false`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000, not a boolean`},
	{`"type":"listen","endpointing_ms":300.5`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":1e400`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":1e999999999999999999999`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":1e-999999999999999999999`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":300.` + strings.Repeat("0", 400) + `1`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":-0`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":0e999999999`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":-300.0`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":-1`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","endpointing_ms":99999999999999999999`, `actions[0] (listen): field "endpointing_ms" must be a whole number from 10 to 10000`},
	{`"type":"listen","gather":true`, `actions[0] (listen): field "gather" must be an object, not a boolean`},
	{`"type":"listen","gather":{"max":1}`, `actions[0] (listen): field "gather.max" is not known; known are max_digits, terminator, timeout_ms`},
	{`"type":"listen","gather":{"max_digits":0}`, `actions[0] (listen): field "gather.max_digits" must be a whole number from 1 to 64`},
	{`"type":"listen","gather":{"max_digits":"4"}`, `actions[0] (listen): field "gather.max_digits" must be a whole number from 1 to 64, not a string`},
	{`"type":"listen","gather":{"max_digits":4,"max_digits":5}`, `actions[0] (listen): field "gather.max_digits" is there twice`},
	{`"type":"listen","gather":{"terminator":"##"}`, `actions[0] (listen): field "gather.terminator" must be one of "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", ""`},
	{`"type":"listen","gather":{"timeout_ms":999}`, `actions[0] (listen): field "gather.timeout_ms" must be a whole number from 1000 to 60000`},
	// twiml and redirect
	{`"type":"twiml"`, `actions[0] (twiml): field "twiml" is missing`},
	{`"type":"twiml","twiml":""`, `actions[0] (twiml): field "twiml" must be XML: <Response>…</Response>`},
	{`"type":"twiml","twiml":"hang up"`, `actions[0] (twiml): field "twiml" has text outside of <Response>`},
	{`"type":"twiml","twiml":"<Response><Hangup></Response>"`, `actions[0] (twiml): field "twiml" is not well-formed XML: element <Hangup> closed by </Response>`},
	{`"type":"twiml","twiml":"<Response><Say>a & b</Say></Response>"`, `actions[0] (twiml): field "twiml" is not well-formed XML: invalid character entity & (no semicolon)`},
	{`"type":"twiml","twiml":"<Response/><Response/>"`, `actions[0] (twiml): field "twiml" must have one root, <Response>`},
	{`"type":"twiml","twiml":"<html/>"`, `actions[0] (twiml): field "twiml" must have one root, <Response>`},
	{`"type":"twiml","twiml":"<Response><Dial a=\"1\" a=\"2\"/></Response>"`, `actions[0] (twiml): field "twiml" has an attribute twice in one element`},
	{`"type":"twiml","twiml":"<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Response>&x;</Response>"`, `actions[0] (twiml): field "twiml" must not have a <!DOCTYPE>`},
	{`"type":"twiml","twiml":"<?xml version=\"1.0\" encoding=\"UTF-7\"?><Response/>"`, `actions[0] (twiml): field "twiml" must be XML 1.0 in UTF-8`},
	{`"type":"twiml","twiml":"<Response>` + strings.Repeat("é", 4000) + `</Response>"`, `actions[0] (twiml): field "twiml" has 4021 characters; the carrier takes at most 4000`},
	{`"type":"redirect"`, `actions[0] (redirect): field "url" is missing`},
	{`"type":"redirect","url":"javascript:alert(1)"`, `actions[0] (redirect): field "url" must begin with https://`},
	{`"type":"redirect","url":"http://127.0.0.1/"`, `actions[0] (redirect): field "url" is refused: address not allowed`},
	// transfer
	{`"type":"transfer"`, `actions[0] (transfer): field "to" is missing`},
	{`"type":"transfer","to":"0800 123"`, `actions[0] (transfer): field "to" must be a number such as "+15550100001", "sip:user@host" or "client:name"`},
	{`"type":"transfer","to":"+15550100001</Dial><Hangup/>"`, `actions[0] (transfer): field "to" must be a number such as "+15550100001", "sip:user@host" or "client:name"`},
	{`"type":"transfer","to":"sip:a@b.example\"/><Hangup/>"`, `actions[0] (transfer): field "to" must be a number such as "+15550100001", "sip:user@host" or "client:name"`},
	{`"type":"transfer","to":"client:a&lt;b"`, `actions[0] (transfer): field "to" must be a number such as "+15550100001", "sip:user@host" or "client:name"`},
	{`"type":"transfer","to":"+15550100001\n"`, `actions[0] (transfer): field "to" must be a number such as "+15550100001", "sip:user@host" or "client:name"`},
	{`"type":"transfer","to":"+15550100001","caller_id":"\" record=\"true"`, `actions[0] (transfer): field "caller_id" must be a number such as "+15550100001", or "client:name"`},
}

func bodyOf(s string) []byte {
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") || strings.ContainsAny(s, "\x00") {
		return []byte(s)
	}
	return []byte(`{"actions":[{` + s + `}]}`)
}

func TestWhatIsRefusedIsToldWhy(t *testing.T) {
	for _, tt := range slices.Concat(bad, hostile) {
		items, err := parse(bodyOf(tt.body))
		name := tt.body[:min(len(tt.body), 120)]
		var wrong *actions.Error
		if !errors.As(err, &wrong) || items != nil {
			t.Errorf("%s: got %v, %v, want only an *Error", name, items, err)
			continue
		}
		if got := err.Error(); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tt.want)
		}
		if !json.Valid(wrong.JSON) || len(wrong.JSON) > 8<<10 {
			t.Errorf("%s: got %d bytes of JSON, want a short JSON value: %s", name, len(wrong.JSON), wrong.JSON)
		}
	}
}

func TestOneBadActionRefusesAll(t *testing.T) {
	items, err := parse([]byte(`{"actions":[{"type":"hangup"},{"type":"clear"},{"type":"say","txt":"hi"}]}`))
	var wrong *actions.Error
	if !errors.As(err, &wrong) || items != nil {
		t.Fatalf("got %v, %v, want only an *Error", items, err)
	}
	want := actions.Error{
		Index: 2, Type: actions.TypeSay, Field: "txt", JSON: []byte(`{"type":"say","txt":"hi"}`),
		Reason: "is not known; known are id, text, voice, language, interruptible, unless_superseded",
	}
	if !reflect.DeepEqual(*wrong, want) {
		t.Errorf("got %+v\nwant %+v", *wrong, want)
	}
}

func TestEveryURLIsChecked(t *testing.T) {
	var seen []string
	check := func(u string) error { seen = append(seen, u); return nil }
	_, err := actions.Parse([]byte(`{"actions":[{"type":"play","url":"https://a.example/"},{"type":"redirect","url":"https://b.example/"}]}`), actions.Options{CheckURL: check})
	if want := []string{"https://a.example/", "https://b.example/"}; err != nil || !reflect.DeepEqual(seen, want) {
		t.Errorf("got %v, %v, want %v", seen, err, want)
	}
}

func TestLongActionsAreKeptShort(t *testing.T) {
	body := `{"actions":[{"type":"play","id":"x","format":"mulaw","audio":"` + strings.Repeat("/38A", 1000) + `"}]}`
	items, err := parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"play","id":"x","format":"mulaw","audio":"` + strings.Repeat("/38A", 25) + `…"}`
	if got := string(items[0].JSON); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range good {
		f.Add([]byte(tt.body))
	}
	for _, tt := range slices.Concat(bad, hostile) {
		if len(tt.body) < 4096 {
			f.Add(bodyOf(tt.body))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		given := bytes.Clone(b)
		items, err := parse(b)
		if !bytes.Equal(b, given) {
			t.Fatal("the body was changed")
		}
		if err == nil {
			again(t, items)
			return
		}
		var wrong *actions.Error
		if !errors.As(err, &wrong) || items != nil || !json.Valid(wrong.JSON) || len(wrong.JSON) > 8<<10 || len(err.Error()) > 2048 {
			t.Fatalf("got %v and %v, want only a short *Error", items, err)
		}
	})
}

func ExampleParse() {
	items, err := actions.Parse([]byte(`{"actions":[{"type":"say","text":"Goodbye."},{"type":"hangup"}]}`), actions.Options{})
	for _, i := range items {
		fmt.Println(i.Action.Type())
	}
	fmt.Println(err)
	_, err = actions.Parse([]byte(`{"actions":[{"type":"say","txt":"Goodbye."}]}`), actions.Options{})
	fmt.Println(err)
	// Output:
	// say
	// hangup
	// <nil>
	// actions[0] (say): field "txt" is not known; known are id, text, voice, language, interruptible, unless_superseded
}
