package aldea

import (
	"reflect"
	"testing"
	"time"
)

const ms = time.Millisecond

// The table serves decoding and, as seeds, fuzzing. Shapes come from Aldea's and Deepgram's documentation.
var messageTests = []struct {
	name string
	json string
	want Message // nil: ignored
	odd  bool    // not as documented
	bad  bool    // not decodable
}{
	{
		name: "Aldea final",
		json: `{"type":"Results","channel_index":[0],"duration":1.98,"start":0.0,"is_final":true,"speech_final":true,
			"channel":{"alternatives":[{"transcript":"book a table","confidence":0.95,
			"words":[["book",0,320],["a",320,410],["table",410,800]]}]},
			"metadata":{"request_id":"3f0c","model_info":{"name":"m","version":null,"arch":"aldea-asr"}}}`,
		want: &Results{
			End: 1980 * ms, Transcript: "book a table", Confidence: 0.95, IsFinal: true, SpeechFinal: true, RequestID: "3f0c",
			Words: []Word{{"book", 0, 320 * ms}, {"a", 320 * ms, 410 * ms}, {"table", 410 * ms, 800 * ms}},
		},
	},
	{
		name: "Deepgram final",
		json: `{"type":"Results","channel_index":[0,1],"duration":1.5,"start":2.25,"is_final":true,"speech_final":false,
			"from_finalize":true,"channel":{"alternatives":[{"transcript":"Hello, you","confidence":0.5,"words":[
			{"word":"hello","start":2.5,"end":2.75,"confidence":0.9,"punctuated_word":"Hello,","speaker":0},
			{"word":"you","start":2.8,"end":3.0}]}]},"metadata":{"request_id":"d","model_uuid":"u"}}`,
		want: &Results{
			Start: 2250 * ms, End: 3750 * ms, Transcript: "Hello, you", Confidence: 0.5, IsFinal: true, FromFinalize: true, RequestID: "d",
			Words: []Word{{"Hello,", 2500 * ms, 2750 * ms}, {"you", 2800 * ms, 3000 * ms}},
		},
	},
	{name: "second channel", json: `{"type":"Results","channel_index":[1,2]}`, want: &Results{unplaced: true, Channel: 1}},
	{
		name: "interim without words",
		json: `{"type":"Results","start":1,"duration":0.5,"is_final":false,"channel":{"alternatives":[{"transcript":"boo"}]}}`,
		want: &Results{Start: time.Second, End: 1500 * ms, Transcript: "boo"},
	},
	{
		name: "speech_final alone makes it final",
		json: `{"type":"Results","is_final":false,"speech_final":true}`,
		want: &Results{unplaced: true, IsFinal: true, SpeechFinal: true},
	},
	{name: "words null", json: `{"type":"Results","channel":{"alternatives":[{"words":null}]}}`, want: &Results{unplaced: true}},
	{name: "words empty", json: `{"type":"Results","channel":{"alternatives":[{"words":[]}]}}`, want: &Results{unplaced: true}},
	{
		name: "word times as floats",
		json: `{"type":"Results","channel":{"alternatives":[{"words":[["a",0.5,320.25]]}]}}`,
		want: &Results{unplaced: true, Words: []Word{{"a", 500 * time.Microsecond, 320250 * time.Microsecond}}},
	},
	{
		name: "word with more fields",
		json: `{"type":"Results","channel":{"alternatives":[{"words":[["a",1,2,0.9,"x"]]}]}}`,
		want: &Results{unplaced: true, Words: []Word{{"a", ms, 2 * ms}}},
	},
	{
		name: "both word shapes in one list",
		json: `{"type":"Results","channel":{"alternatives":[{"words":[["a",1000,2000],{"word":"b","start":2,"end":3}]}]}}`,
		want: &Results{unplaced: true, Words: []Word{{"a", time.Second, 2 * time.Second}, {"b", 2 * time.Second, 3 * time.Second}}},
	},
	{
		name: "short word drops the list, not the message",
		json: `{"type":"Results","is_final":true,"channel":{"alternatives":[{"transcript":"a b","words":[["a",0,1],["b"]]}]}}`,
		want: &Results{unplaced: true, Transcript: "a b", IsFinal: true},
		odd:  true,
	},
	{
		name: "word of an unknown kind",
		json: `{"type":"Results","channel":{"alternatives":[{"transcript":"a","words":["a"]}]}}`,
		want: &Results{unplaced: true, Transcript: "a"},
		odd:  true,
	},
	{
		name: "word null",
		json: `{"type":"Results","channel":{"alternatives":[{"transcript":"a","words":[null]}]}}`,
		want: &Results{unplaced: true, Transcript: "a"},
		odd:  true,
	},
	{
		name: "words are no list",
		json: `{"type":"Results","channel":{"alternatives":[{"transcript":"a","words":{"a":1}}]}}`,
		want: &Results{unplaced: true, Transcript: "a"},
		odd:  true,
	},
	{name: "everything missing", json: `{"type":"Results"}`, want: &Results{unplaced: true}},
	{
		name: "everything null",
		json: `{"type":"Results","channel_index":null,"start":null,"duration":null,"is_final":null,"speech_final":null,
			"from_finalize":null,"channel":null,"metadata":null,"error":null}`,
		want: &Results{unplaced: true},
	},
	{name: "no alternatives", json: `{"type":"Results","channel":{"alternatives":[]}}`, want: &Results{unplaced: true}},
	{name: "negative duration", json: `{"type":"Results","start":2,"duration":-1}`, want: &Results{Start: 2 * time.Second, End: 2 * time.Second}},
	{name: "unknown fields", json: `{"type":"Results","x":{"y":[1]},"channel":{"z":0}}`, want: &Results{unplaced: true}},
	{name: "SpeechStarted", json: `{"type":"SpeechStarted","channel":[0],"timestamp":9.54}`, want: &SpeechStarted{Timestamp: 9540 * ms}},
	{name: "SpeechStarted, two channels", json: `{"type":"SpeechStarted","channel":[1,2],"timestamp":1}`, want: &SpeechStarted{Channel: 1, Timestamp: time.Second}},
	{name: "UtteranceEnd", json: `{"type":"UtteranceEnd","channel":[0],"last_word_end":2.5}`, want: &UtteranceEnd{LastWordEnd: 2500 * ms}},
	{name: "UtteranceEnd without a word", json: `{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}`, want: &UtteranceEnd{LastWordEnd: -1}},
	{name: "UtteranceEnd without a time", json: `{"type":"UtteranceEnd"}`, want: &UtteranceEnd{LastWordEnd: -1}},
	{
		name: "Aldea Metadata",
		json: `{"type":"Metadata","request_id":"3f0c","created":"2026-03-04T12:00:00.000000Z","duration":0.0,"channels":1,
			"model_info":{"name":"m","version":"","arch":"aldea-asr"}}`,
		want: &Metadata{
			RequestID: "3f0c", Created: "2026-03-04T12:00:00.000000Z", Channels: 1,
			Models: []Model{{Name: "m", Arch: "aldea-asr"}},
		},
	},
	{
		name: "Metadata with a null version",
		json: `{"type":"Metadata","model_info":{"name":"m","version":null,"arch":"subq-asr"}}`,
		want: &Metadata{Models: []Model{{Name: "m", Arch: "subq-asr"}}},
	},
	{
		name: "Deepgram Metadata",
		json: `{"type":"Metadata","transaction_key":"deprecated","request_id":"d","sha256":"s","created":"c","duration":7.5,
			"channels":1,"models":["u2","u1"],"model_info":{"u2":{"name":"n2","version":"2","arch":"nova"},
			"u1":{"name":"n1","version":"1","arch":"nova"}}}`,
		want: &Metadata{
			RequestID: "d", Created: "c", Duration: 7500 * ms, Channels: 1,
			Models: []Model{{ID: "u1", Name: "n1", Version: "1", Arch: "nova"}, {ID: "u2", Name: "n2", Version: "2", Arch: "nova"}},
		},
	},
	{name: "Metadata without models", json: `{"type":"Metadata","request_id":"d"}`, want: &Metadata{RequestID: "d"}},
	{name: "Metadata with odd models", json: `{"type":"Metadata","request_id":"d","model_info":[1]}`, want: &Metadata{RequestID: "d"}},
	{
		name: "Error",
		json: `{"type":"Error","variant":"SchemaError","description":"Could not deserialize","message":"invalid control message"}`,
		want: &ServerError{Variant: "SchemaError", Message: "invalid control message: Could not deserialize"},
	},
	{name: "error in lower case", json: `{"type":"error","message":"m"}`, want: &ServerError{Message: "m"}},
	{name: "error without a type", json: `{"error":"over quota","request_id":"r"}`, want: &ServerError{Message: "over quota", RequestID: "r"}},
	{name: "error beside a type", json: `{"type":"Results","error":"bad"}`, want: &ServerError{Message: "bad"}},
	{name: "Error of unexpected types", json: `{"type":"Error","message":{"a":1},"err_code":5}`, want: &ServerError{}},
	{name: "unknown type", json: `{"type":"Sentiment","value":1}`},
	{name: "no type", json: `{}`, odd: true},
	{name: "null", json: `null`, bad: true},
	{name: "empty", json: ``, bad: true},
	{name: "not JSON", json: `oops`, bad: true},
	{name: "cut off", json: `{"type":"Results","sta`, bad: true},
	{name: "a list of numbers", json: `[1,2]`, bad: true},
	{name: "type is a number", json: `{"type":5}`, odd: true},
	{name: "a time beyond all floats", json: `{"type":"SpeechStarted","timestamp":1e999}`, want: &SpeechStarted{}, odd: true},
	{
		name: "a time beyond all durations",
		json: `{"type":"SpeechStarted","timestamp":1e300}`,
		want: &SpeechStarted{Timestamp: 100 * 365 * 24 * time.Hour},
	},
}

func TestMessagesDecode(t *testing.T) {
	for _, test := range messageTests {
		t.Run(test.name, func(t *testing.T) {
			got, odd, err := decode([]byte(test.json))
			if odd != (test.odd || test.bad) {
				t.Errorf("odd: got %v", odd)
			}
			if (err != nil) != test.bad {
				t.Fatalf("got error %v, want one: %v", err, test.bad)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzMessage(f *testing.F) {
	for _, test := range messageTests {
		f.Add([]byte(test.json))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, _, err := decode(data)
		if err != nil {
			if m != nil {
				t.Fatalf("got both %+v and %v", m, err)
			}
			return
		}
		r, ok := m.(*Results)
		if !ok {
			return
		}
		if r.End < r.Start {
			t.Errorf("got a result from %v to %v", r.Start, r.End)
		}
		if r.SpeechFinal && !r.IsFinal {
			t.Error("got speech_final that is not final")
		}
		line := timeline{delay: 2 * ms}
		line.audio(100, 8000)
		(&wordOrigin{}).resolve(r)
		r.locate(&line)
		if r.Start < 0 || r.End < r.Start || r.End > timeOf(8100) {
			t.Errorf("a result of 1s of audio was put from %v to %v", r.Start, r.End)
		}
		for _, w := range r.Words {
			if w.Start < 0 || w.End < w.Start || w.End > timeOf(8100) {
				t.Errorf("a word was put from %v to %v", w.Start, w.End)
			}
		}
	})
}

func TestAResultWithoutADurationEndsWithItsLastWord(t *testing.T) {
	var line timeline
	line.audio(8000, 80000)
	r := &Results{Start: time.Second, End: time.Second, Words: []Word{{"a", time.Second, 1200 * ms}, {"b", 1300 * ms, 1500 * ms}}}
	r.locate(&line)
	if r.Start != 2*time.Second || r.End != 2500*ms || r.Words[1].End != 2500*ms {
		t.Errorf("got %+v, want 2s to 2.5s on the source", r)
	}
}

func TestWordOriginIsDecidedOnceAtTheFirstResultThatCanTell(t *testing.T) {
	result := func(start, word time.Duration) *Results {
		return &Results{Start: start, End: start + time.Second, Words: []Word{{"a", word, word + 100*ms}}}
	}
	type step struct {
		start, word time.Duration
		want        time.Duration // the word's start afterwards
		decided     bool
	}
	tests := map[string]struct {
		mode  WordTimes
		steps []step
	}{
		"absolute": {WordTimesAuto, []step{
			{0, 0, 0, false},
			{900 * ms, 950 * ms, 950 * ms, false},
			{2 * time.Second, 2100 * ms, 2100 * ms, true},
			{9 * time.Second, 100 * ms, 100 * ms, false}, // decided is decided
		}},
		"relative": {WordTimesAuto, []step{
			{0, 100 * ms, 100 * ms, false},
			{800 * ms, 100 * ms, 900 * ms, false}, // it could not be before its result
			{2 * time.Second, 100 * ms, 2100 * ms, true},
			{9 * time.Second, 9100 * ms, 18100 * ms, false},
		}},
		"a word a little before its result": {WordTimesAuto, []step{
			{2 * time.Second, 1600 * ms, 1600 * ms, true},
		}},
		"forced relative": {WordTimesRelative, []step{{500 * ms, 600 * ms, 1100 * ms, false}}},
		"forced absolute": {WordTimesAbsolute, []step{{5 * time.Second, 0, 0, false}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := wordOrigin{mode: test.mode}
			for i, step := range test.steps {
				r := result(step.start, step.word)
				decided := o.resolve(r)
				if got := r.Words[0].Start; got != step.want || decided != step.decided {
					t.Errorf("step %d: got %v (decided: %v), want %v (%v)", i, got, decided, step.want, step.decided)
				}
			}
		})
	}
	var o wordOrigin
	if o.resolve(&Results{Start: 2 * time.Second}) {
		t.Error("a result without words decided")
	}
}
