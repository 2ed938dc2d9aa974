package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
	"time"

	"aldeabridge/events"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	at   = time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	call = events.Call{
		ID:        "CA00000000000000000000000000000001",
		StreamID:  "MZ00000000000000000000000000000001",
		Carrier:   "twilio",
		From:      "+15550100001",
		To:        "+15550100002",
		Direction: events.Inbound,
		Params:    map[string]string{"tenant": "a<b>&c"},
	}
	speech = events.BySpeech
	ms     = func(n int) events.Offset { return events.Offset(time.Duration(n) * time.Millisecond) }
)

// all has one event of each type; a customer receives the stored ones exactly as testdata has them.
var all = []events.Event{
	{Time: at, Call: call, Sequence: 1, Body: events.CallStarted{
		Tracks:     []events.Speaker{events.Caller, events.Agent},
		Media:      events.MediaFormat{Encoding: "audio/x-mulaw", SampleRate: 8000, Channels: 1},
		Recognizer: events.Recognizer{SampleRate: 16000, Language: "en", Endpointing: "300", Keywords: []string{"Aldea"}},
	}},
	{Time: at, Call: call, Body: events.SpeechStarted{Speaker: events.Caller, At: ms(4100)}},
	{Time: at, Call: call, Body: events.TranscriptInterim{
		Speaker: events.Caller, Utterance: "MZ1-caller-1", Text: "Grüße, I’d", Start: ms(4120), End: ms(5000),
	}},
	{Time: at, Call: call, Sequence: 2, Body: events.UtteranceFinal{Utterance: events.Utterance{
		ID: "MZ1-caller-1", Index: 1, Speaker: events.Caller, Text: "Grüße, I’d like 2 < 3 \u2028 & more.",
		Confidence: 0.97, Language: "en", Start: ms(4120), End: ms(6480),
		Words:   []events.Word{{Text: "Grüße,", Start: ms(4120), End: ms(4500)}},
		EndedBy: events.BySpeechFinal, Confirmed: true,
	}}},
	{Time: at, Call: call, Sequence: 3, Body: events.DTMFReceived{Digit: "#", At: ms(7000)}},
	{Time: at, Call: call, Sequence: 4, Body: events.DigitsGathered{
		ActionID: "pin", Digits: "1234", EndedBy: events.GatherTerminator, At: ms(7000),
	}},
	{Time: at, Call: call, Sequence: 5, Body: events.PlaybackFinished{
		ActionID: "greeting", Played: ms(1340), InterruptedBy: &speech, HeardText: "Grüße & how can I",
	}},
	{Time: at, Call: call, Sequence: 6, Body: events.ActionFailed{
		Action: json.RawMessage(`{"type":"transfer","to":"+15550100003"}`), ActionID: "a1", Index: 1,
		InReplyTo: "evt_01KDYVD6EE0000000000000000", Reason: "the carrier answered 404: no such call",
	}},
	{Time: at, Call: call, Sequence: 7, Body: events.RecognizerDegraded{
		Speaker: events.Caller, Since: at.Truncate(time.Second), Cause: "connection_lost", Backlog: ms(3100),
	}},
	{Time: at, Call: call, Sequence: 8, Body: events.AudioGap{Speaker: events.Caller, From: ms(1000), To: ms(2500), Cause: "unreachable"}},
	{Time: at, Call: call, Sequence: 9, Body: events.RecognizerRecovered{
		Speaker: events.Caller, Since: at.Truncate(time.Second), Cause: "connection_lost", Backlog: ms(3100),
	}},
	{Time: at, Call: call, Sequence: 10, Body: events.CallEnded{
		Reason: events.EndStop, Duration: ms(9000), Counts: events.Counts{Utterances: 1, DTMF: 1, Frames: 450, Silence: 20},
		Transcript: []events.Line{{Utterance: "MZ1-caller-1", Speaker: events.Caller, Text: "Grüße", Start: ms(4120), End: ms(6480)}},
	}},
}

func TestEachEventIsWhatTheGoldenFileSays(t *testing.T) {
	for _, e := range all {
		got, err := e.JSON()
		if err != nil {
			t.Fatalf("%s: %v", e.Body.Type(), err)
		}
		name := filepath.Join("testdata", string(e.Body.Type())+".json")
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", e.Body.Type(), got, want)
		}
		var back events.Event
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%s: %v", e.Body.Type(), err)
		}
		e.Time = e.Time.Truncate(time.Millisecond)
		if !reflect.DeepEqual(back, e) {
			t.Errorf("%s: read back\ngot  %+v\nwant %+v", e.Body.Type(), back, e)
		}
	}
}

func TestOnlyStoredEventsHaveASequence(t *testing.T) {
	for _, e := range all {
		b, err := e.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := bytes.Contains(b, []byte(`"sequence"`)), e.Body.Stored(); got != want {
			t.Errorf("%s: got a sequence %v, want %v", e.Body.Type(), got, want)
		}
	}
}

func TestWhatIsAbsentIsNotWritten(t *testing.T) {
	for want, body := range map[string]events.Body{
		`"action_id":"a","played_ms":0,"interrupted_by":null}}`: events.PlaybackFinished{ActionID: "a"},
		`"action":"{\"actions\":","index":-1,"reason":"r"}}`: events.ActionFailed{
			Action: json.RawMessage(`"{\"actions\":"`), Index: -1, Reason: "r",
		},
		`"action":null,"index":0,"reason":"r"}}`:            events.ActionFailed{Reason: "r"},
		`"digits":"","ended_by":"timeout","at_ms":0}}`:      events.DigitsGathered{EndedBy: events.GatherTimeout},
		`"simulated":true},"resumed":true}}`:                events.CallStarted{Recognizer: events.Recognizer{Simulated: true}, Resumed: true},
		`"sample_rate":0,"language":"","endpointing":""}}}`: events.CallStarted{},
	} {
		b, err := events.Event{Time: at, Call: call, Sequence: 1, Body: body}.JSON()
		if err != nil || !bytes.HasSuffix(b, []byte(want)) {
			t.Errorf("%T: got %s, %v, want …%s", body, b, err, want)
		}
	}
}

func TestATypeFromTheFutureIsNamed(t *testing.T) {
	var e events.Event
	err := json.Unmarshal([]byte(`{"type":"call.teleported","timestamp":"2026-01-02T03:04:05Z","data":{"call":{}}}`), &e)
	if !errors.Is(err, events.ErrUnknownType) {
		t.Errorf("got %v, want ErrUnknownType", err)
	}
}

func TestAnEventWithoutABodyIsRefused(t *testing.T) {
	if b, err := (events.Event{}).JSON(); err == nil {
		t.Errorf("got %s, want an error", b)
	}
}

func TestIDsRiseAndHaveNoDots(t *testing.T) {
	form := regexp.MustCompile(`^evt_[0-9A-HJKMNP-TV-Z]{26}$`)
	last := ""
	for range 1000 {
		id := events.NewID(at)
		if !form.MatchString(id) || id <= last {
			t.Fatalf("got %s after %s, want evt_ and a higher ULID", id, last)
		}
		last = id
	}
}

func TestTimesThatJSONCannotHoldAreRefused(t *testing.T) {
	late := time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -23*3600))
	if b, err := (events.Event{Time: late, Body: events.DTMFReceived{}}).JSON(); err == nil {
		t.Errorf("got %s, want an error", b)
	}
	var o events.Offset
	if err := json.Unmarshal([]byte("9223372036854775807"), &o); err == nil {
		t.Errorf("got %v, want an error", o)
	}
	for _, at := range []time.Time{{}, time.Unix(-1, 0), late} {
		if id := events.NewID(at); len(id) != 30 {
			t.Errorf("%v: got %q, want 30 characters", at, id)
		}
	}
}

func TestOffsetsRoundToMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0", 1499 * time.Microsecond: "1", 1500 * time.Microsecond: "2", time.Hour: "3600000"} {
		if b, err := json.Marshal(events.Offset(d)); err != nil || string(b) != want {
			t.Errorf("%v: got %s, %v, want %s", d, b, err, want)
		}
	}
}

func TestAClockShowsTheTenthsThatHavePassed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0:00.0", 0: "0:00.0", 99 * time.Millisecond: "0:00.0", 1500 * time.Millisecond: "0:01.5",
		59_990 * time.Millisecond: "0:59.9", 59_999_900 * time.Microsecond: "1:00.0", 2 * time.Hour: "120:00.0",
	} {
		if got := events.Offset(d).Clock(); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, e := range all {
		b, err := e.JSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e events.Event
		if json.Unmarshal(b, &e) != nil {
			return
		}
		first, err := e.JSON()
		if err != nil {
			return // a time or a number that JSON cannot write
		}
		var again events.Event
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("own JSON not readable: %v\n%s", err, first)
		}
		second, err := again.JSON()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("got %s, %v\nwant %s", second, err, first)
		}
	})
}

func ExampleEvent_JSON() {
	e := events.Event{
		Time:     time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Call:     events.Call{ID: "CA1", Carrier: "twilio"},
		Sequence: 3,
		Body:     events.DTMFReceived{Digit: "5", At: events.Offset(2 * time.Second)},
	}
	b, err := e.JSON()
	fmt.Println(string(b), err)
	// Output: {"type":"dtmf.received","timestamp":"2026-01-02T03:04:05.000Z","data":{"call":{"id":"CA1","stream_id":"","carrier":"twilio","from":"","to":"","direction":"","params":{}},"sequence":3,"digit":"5","at_ms":2000}} <nil>
}
