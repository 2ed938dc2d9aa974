package aldea

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// plainResult is what every message of oddResults means.
var plainResult = &Results{
	Start: time.Second, End: 1900 * ms, Transcript: "alpha beta", Confidence: 0.98, IsFinal: true, SpeechFinal: true, RequestID: "r",
	Words: []Word{{"alpha", time.Second, 1300 * ms}, {"beta", 1300 * ms, 1800 * ms}},
}

const (
	plainWords = `[["alpha",1000,1300],["beta",1300,1800]]`
	plainBest  = `{"transcript":"alpha beta","confidence":0.98,"words":` + plainWords + `}`
	plainText  = `{"type":"Results","channel_index":[0],"start":1.0,"duration":0.9,"is_final":true,"speech_final":true,` +
		`"channel":{"alternatives":[` + plainBest + `]},"metadata":{"request_id":"r"}}`
)

// oddResults change plainText, as old and new in turn. change says what the result loses by it.
var oddResults = []struct {
	name   string
	edits  []string
	change func(*Results)
}{
	{"confidence NaN", []string{`0.98`, `NaN`}, func(r *Results) { r.Confidence = 0 }},
	{"confidence Infinity", []string{`0.98`, `-Infinity`}, func(r *Results) { r.Confidence = 0 }},
	{"confidence a string", []string{`0.98`, `"0.98"`}, nil},
	{"confidence beyond all numbers", []string{`0.98`, `1e999`}, func(r *Results) { r.Confidence = 0 }},
	{"confidence without its zero", []string{`0.98`, `.98`}, nil},
	{"confidence a list", []string{`0.98`, `[0.98]`}, func(r *Results) { r.Confidence = 0 }},
	{"channel_index a number", []string{`[0]`, `0`}, nil},
	{"channel_index a string", []string{`[0]`, `"0"`}, nil},
	{"channel_index of strings", []string{`[0]`, `["0","1"]`}, nil},
	{"channel_index an object", []string{`[0]`, `{"a":1}`}, nil},
	{"channel_index of fractions", []string{`[0]`, `[0.0,1.0]`}, nil},
	{"metadata a string", []string{`{"request_id":"r"}`, `"x"`}, func(r *Results) { r.RequestID = "" }},
	{"metadata a list", []string{`{"request_id":"r"}`, `[{"request_id":"r"}]`}, nil},
	{"request_id a number", []string{`"request_id":"r"`, `"request_id":7`}, func(r *Results) { r.RequestID = "7" }},
	{"start a string", []string{`"start":1.0`, `"start":" 1.0 "`}, nil},
	{"start with a sign", []string{`"start":1.0`, `"start":+1.0`}, nil},
	{"duration a string", []string{`0.9,`, `"0.9",`}, nil},
	{"duration NaN", []string{`0.9,`, `NaN,`}, func(r *Results) { r.End = r.Start }},
	{"duration an object", []string{`0.9,`, `{},`}, func(r *Results) { r.End = r.Start }},
	{"is_final a string", []string{`"is_final":true`, `"is_final":"true"`}, nil},
	{"is_final a number, speech_final a string", []string{`"is_final":true,"speech_final":true`, `"is_final":1,"speech_final":"True"`}, nil},
	{"is_final as Python writes it", []string{`"is_final":true`, `"is_final":True`}, nil},
	{"from_finalize None", []string{`"is_final"`, `"from_finalize":None,"is_final"`}, nil},
	{"channel a list", []string{`"channel":{`, `"channel":[{`, `]},"meta`, `]}],"meta`}, nil},
	{"alternatives an object", []string{`[` + plainBest + `]`, plainBest}, nil},
	{"alternatives begin with null", []string{`[` + plainBest, `[null,` + plainBest, `"r"}`, `7}`}, func(r *Results) { r.RequestID = "7" }},
	{"transcript a number", []string{`"alpha beta"`, `42`}, func(r *Results) { r.Transcript = "42" }},
	{"transcript a list", []string{`"alpha beta"`, `["alpha"]`}, nil}, // from the words
	{"words an object", []string{plainWords, `{"a":1}`}, func(r *Results) { r.Words = nil }},
	{"words a string", []string{plainWords, `"alpha beta"`}, func(r *Results) { r.Words = nil }},
	{"times of words are strings", []string{`1000,1300`, `"1000","1300"`}, nil},
	{"a time of a word NaN", []string{`1000,1300`, `NaN,1300`}, func(r *Results) { r.Words = nil }},
	{"a time of a word negative", []string{`1000,1300`, `"-5",1300`}, func(r *Results) { r.Words = nil }},
	{"a word null", []string{plainWords, `[["alpha",1000,1300],null]`}, func(r *Results) { r.Words = nil }},
	{"words with odd objects", []string{plainWords, `[{"word":"alpha","start":"1.0","end":1.3},` +
		`{"punctuated_word":"beta","start":1.3,"end":"1.8"}]`}, nil},
	{"a byte order mark", []string{`{"type"`, "\uFEFF" + `{"type"`}, nil},
	{"a zero byte behind it", []string{`"r"}}`, `"r"}}` + "\x00"}, nil},
	{"in a list", []string{`{"type"`, `[{"type"`, `"r"}}`, `"r"}}]`}, nil},
	{"type missing", []string{`"type":"Results",`, ``}, nil},
	{"type null", []string{`"Results"`, `null`}, nil},
	{"type a number", []string{`"Results"`, `1`}, nil},
	{"fields twice, the first odd", []string{`"start":1.0`, `"start":"soon","start":1.0`}, nil},
	{"fields twice, the second null", []string{`"start":1.0`, `"start":"1.0","start":null`}, nil},
	{"more fields, deeply nested", []string{`"start":1.0`, `"start":"1.0","extra":{"a":[[[{"b":[null,{"c":"NaN\"NaN"}]}]]]}`}, nil},
}

func TestAResultWithAnOddFieldLosesOnlyThatField(t *testing.T) {
	for _, test := range oddResults {
		text := plainText
		for i := 0; i < len(test.edits); i += 2 {
			if !strings.Contains(text, test.edits[i]) {
				t.Fatalf("%s: nothing to change", test.name)
			}
			text = strings.Replace(text, test.edits[i], test.edits[i+1], 1)
		}
		want := *plainResult
		if test.change != nil {
			test.change(&want)
		}
		got, odd, err := decode([]byte(text))
		if err != nil || !reflect.DeepEqual(got, &want) {
			t.Errorf("%s: got %+v, %v; want %+v", test.name, got, err, want)
		}
		if !odd {
			t.Errorf("%s: does not count as odd", test.name)
		}
	}
}

func TestOddMessagesOfOtherTypesAreRead(t *testing.T) {
	for text, want := range map[string]Message{
		`{"type":"SpeechStarted","channel":0,"timestamp":"9.5"}`:     &SpeechStarted{Timestamp: 9500 * ms},
		`{"type":"SpeechStarted","channel":[0],"timestamp":NaN}`:     &SpeechStarted{},
		`{"type":"UtteranceEnd","channel":{},"last_word_end":"2.5"}`: &UtteranceEnd{LastWordEnd: 2500 * ms},
		`{"type":"UtteranceEnd","last_word_end":NaN}`:                &UtteranceEnd{LastWordEnd: -1},
		`{"type":"UtteranceEnd","last_word_end":[]}`:                 &UtteranceEnd{LastWordEnd: -1},
		`{"type":"Metadata","request_id":5,"channels":"2","duration":"1.5"}`: &Metadata{
			RequestID: "5", Channels: 2, Duration: 1500 * ms,
		},
		`{"type":"Error","message":NaN,"error":"over quota"}`:                                        &ServerError{Message: "over quota"},
		`{"type":7,"error":"over quota"}`:                                                            &ServerError{Message: "over quota"},
		`{"type":"Results","start":0,"error":"bad","channel":{"alternatives":[{"transcript":"a"}]}}`: &Results{Transcript: "a"},
	} {
		if got, _, err := decode([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestTimesThatCannotBeLeaveAResultUnplaced(t *testing.T) {
	for start, placed := range map[string]bool{
		"0": true, "-0.2": true, "3.5": true, "-1": false, "-1e300": false, "1e300": false, "604800": false, "NaN": false, "null": false, `"soon"`: false,
	} {
		m, _, err := decode(fmt.Appendf(nil, `{"type":"Results","start":%s,"duration":1,"channel":{"alternatives":[{"transcript":"a"}]}}`, start))
		r, ok := m.(*Results)
		if err != nil || !ok || r.unplaced == placed || !placed && (r.Start != 0 || r.End != 0) || r.Transcript != "a" {
			t.Errorf("start %s: got %+v, %v; want it placed: %v", start, m, err, placed)
		}
	}
}

func TestWhatIsTakenOfAMessageIsBounded(t *testing.T) {
	words := func(n int, word string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`["`+word+`",1,2],`, n), ",") + "]"
	}
	result := func(transcript, words string) string {
		return `{"type":"Results","start":0,"channel":{"alternatives":[{"transcript":"` + transcript + `","words":` + words + `}]},` +
			`"metadata":{"request_id":"` + strings.Repeat("r", maxID) + `"}}`
	}
	for name, test := range map[string]struct {
		text       string
		transcript int
		words      int
		odd        bool
	}{
		"all that may be":     {result(strings.Repeat("a", maxTranscript), words(maxWords, "a")), maxTranscript, maxWords, false},
		"a longer transcript": {result(strings.Repeat("a", maxTranscript+1), "[]"), maxTranscript, 0, true},
		"a cut character":     {result("a"+strings.Repeat("ö", maxTranscript/2), "[]"), maxTranscript - 1, 0, true},
		"more words":          {result("a", words(maxWords+1, "a")), 1, 0, true},
		"a longer word":       {result("a", words(1, strings.Repeat("w", maxWord+1))), 1, 0, true},
		"brackets":            {result("a", strings.Repeat("[", 20)+strings.Repeat("]", 20)), 1, 0, true},
	} {
		m, odd, err := decode([]byte(test.text))
		r, ok := m.(*Results)
		if err != nil || !ok {
			t.Fatalf("%s: got %v, %v", name, m, err)
		}
		if len(r.Transcript) != test.transcript || len(r.Words) != test.words || len(r.RequestID) != maxID || odd != test.odd {
			t.Errorf("%s: got %d bytes, %d words, odd: %v; want %d, %d, %v",
				name, len(r.Transcript), len(r.Words), odd, test.transcript, test.words, test.odd)
		}
	}
	for name, text := range map[string]string{
		"nested too deep": `{"type":"Results","channel":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + "}",
		"too many values": `{"type":"Results","channel":[` + strings.Repeat("1,", maxValues) + `1]}`,
	} {
		if m, _, err := decode([]byte(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, m)
		}
	}
}

// saying is a session that says something once a second of audio was heard, then obeys.
func saying(binary bool, texts ...string) func(int, *session) {
	return func(_ int, s *session) {
		s.readUntil(16000)
		for _, text := range texts {
			if binary {
				s.sayBinary(text)
			} else {
				s.say(text)
			}
		}
		s.obey()
	}
}

func TestMessagesInBinaryFramesAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = saying(true, "\x00\x01audio?", plainText)
		client := p.client(nil)
		s := open(t, client)
		speak(s, 0, 20000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) == 0 || got[0].Transcript != "alpha beta" || got[0].Start != time.Second {
			t.Errorf("got %+v, want the result of the binary frame", list(got))
		}
		if got := s.Stats(); got.Odd != 1 || got.Unknown != 1 || got.Malformed != 0 {
			t.Errorf("got %+v, want one odd message, and one that is nothing known", got)
		}
		if got := client.Health(); got.Odd != 1 || got.Unknown != 1 {
			t.Errorf("got %+v, want the same of the client", got)
		}
	})
}

func TestAnUnplacedResultIsDeliveredBehindAReplayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			s.readUntil(16000)
			if n == 1 {
				s.result(0, 16000, true, "first")
				s.close(1012, "")
				return
			}
			s.say(`{"type":"Results","start":NaN,"duration":NaN,"is_final":true,"channel":{"alternatives":[{"transcript":"second"}]}}`)
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, 40000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if len(got) < 2 || got[1].Transcript != "second" || got[1].Start < 4*time.Second || got[1].End != got[1].Start {
			t.Errorf("got %+v, want the second at the end of what was sent", list(got))
		}
	})
}

func TestAMessageThatIsTooLongEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(8000)
				s.say(`{"type":"Results","x":"` + strings.Repeat("x", readLimit) + `"}`)
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, 16000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != 2*time.Second {
			t.Errorf("got %+v, want all of it from the second connection", list(got))
		}
	})
}

func TestAServerThatSendsTooMuchIsReadSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 3 * intakeBurst / intakeMessage
		p := newPeer(t)
		began := time.Now()
		var took time.Duration
		p.serve = func(_ int, s *session) {
			go func() {
				for range many {
					s.say(`{"type":"x"}`)
				}
				took = time.Since(began)
			}()
			s.obey()
		}
		client := p.client(nil)
		s := open(t, client)
		hush(s, samples(2*time.Minute))
		synctest.Wait()
		if least := 2 * intakeBurst / intakeRate * time.Second; took < least {
			t.Errorf("%d messages took %v, want %v at least", many, took, least)
		}
		if got := s.Stats().Unknown; got != many {
			t.Errorf("got %d messages, want %d", got, many)
		}
		if client.Health().Slowed == 0 {
			t.Error("the slow reading is not counted")
		}
	})
}
