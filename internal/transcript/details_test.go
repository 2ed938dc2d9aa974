package transcript

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

func ms(n int) events.Offset { return events.Offset(time.Duration(n) * time.Millisecond) }

func TestAnUtteranceCarriesTimesWordsAndConfidence(t *testing.T) {
	a := New(Options{Prefix: "MZ1-caller", Speaker: events.Caller, Language: "en"})
	first := Result{Text: "Book a", Confidence: 0.8, Start: 0, End: sec(2), Final: true,
		Words: []Word{{"Book", sec(0.4), sec(0.7)}, {"a", sec(0.7), sec(0.8)}}}
	second := Result{Text: "table.", Confidence: 0.5, Start: sec(2), End: sec(4), SpeechFinal: true,
		Words: []Word{{"table", sec(2.1), sec(2.6)}}}
	got := append(a.Result(first, start), a.Result(second, start)...)
	want := []events.Body{
		events.TranscriptInterim{Speaker: events.Caller, Utterance: "MZ1-caller-1", Text: "Book a", Start: ms(400), End: ms(800)},
		events.UtteranceFinal{Utterance: events.Utterance{
			ID: "MZ1-caller-1", Speaker: events.Caller, Language: "en", Text: "Book a table.",
			Confidence: 0.7, Start: ms(400), End: ms(2600),
			Words:   []events.Word{{Text: "Book", Start: ms(400), End: ms(700)}, {Text: "a", Start: ms(700), End: ms(800)}, {Text: "table", Start: ms(2100), End: ms(2600)}},
			EndedBy: events.BySpeechFinal, Confirmed: true,
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestConfidencesThatAreNoneHaveNoWeight(t *testing.T) {
	for _, odd := range []float64{0, -1, 95, math.NaN(), math.Inf(1)} {
		a := New(Options{})
		unknown := final("one two three", 0, 1)
		unknown.Confidence = odd
		a.Result(unknown, start)
		if got := utteranceOf(t, a.Result(speechFinal("four", 1, 2), start)).Confidence; got != 0.9 {
			t.Errorf("%v and 0.9: got %v, want 0.9", odd, got)
		}
		unknown.Start, unknown.End, unknown.SpeechFinal = sec(3), sec(4), true
		if got := utteranceOf(t, a.Result(wordless(unknown), start)).Confidence; got != 0 {
			t.Errorf("only %v: got %v, want 0", odd, got)
		}
	}
}

func TestWithoutWordTimesTheRangeIsTheTimeAndTheListIsEmpty(t *testing.T) {
	u := utteranceOf(t, New(Options{}).Result(wordless(speechFinal("hello", 1, 2)), start))
	if u.Words == nil || len(u.Words) != 0 || u.Start != ms(1000) || u.End != ms(2000) {
		t.Errorf("got words %#v, %v to %v, want an empty list, 1 s to 2 s", u.Words, u.Start, u.End)
	}
}

func TestWordsStayInsideTheirResult(t *testing.T) {
	a := New(Options{})
	a.Result(speechFinal("one", 0, 2), start)
	u := utteranceOf(t, a.Result(Result{Text: "two three", Start: sec(2), End: sec(3), SpeechFinal: true,
		Words: []Word{{"two", sec(1.9), sec(2.5)}, {"three", sec(2.4), sec(3.2)}}}, start))
	want := []events.Word{{Text: "two", Start: ms(2000), End: ms(2500)}, {Text: "three", Start: ms(2400), End: ms(3000)}}
	if !reflect.DeepEqual(u.Words, want) || u.Start != ms(2000) || u.End != ms(3000) {
		t.Errorf("got %v, %v to %v, want %v, 2 s to 3 s", u.Words, u.Start, u.End, want)
	}
}

func TestAWordThatReachesOverTheCommittedEndIsShortened(t *testing.T) {
	a := New(Options{})
	a.Result(speechFinal("one", 0, 2), start)
	u := utteranceOf(t, a.Result(Result{Text: "two", Start: sec(1.8), End: sec(3), SpeechFinal: true, Words: []Word{{"two", sec(1.8), sec(2.5)}}}, start))
	want := []events.Word{{Text: "two", Start: ms(2000), End: ms(2500)}}
	if !reflect.DeepEqual(u.Words, want) || u.Start != ms(2000) {
		t.Errorf("got %v from %v, want %v from 2 s", u.Words, u.Start, want)
	}
}

func TestTheResultGivenIsNotChanged(t *testing.T) {
	r := Result{Text: " a  b ", Start: sec(1), End: sec(2), SpeechFinal: true, Words: []Word{{" a", sec(0.9), sec(1.5)}, {"b ", sec(1.5), sec(2.4)}}}
	words := append([]Word(nil), r.Words...)
	New(Options{}).Result(r, start)
	if !reflect.DeepEqual(r.Words, words) {
		t.Errorf("got %v, want %v", r.Words, words)
	}
}

func TestDeadline(t *testing.T) {
	a := New(Options{Timeout: 2 * time.Second})
	check := func(when string, want time.Time, wantOK bool) {
		t.Helper()
		if got, ok := a.Deadline(); ok != wantOK || !got.Equal(want) {
			t.Errorf("%s: got %v %v, want %v %v", when, got, ok, want, wantOK)
		}
	}
	check("at first", time.Time{}, false)
	a.Result(interim("one", 0, 1), at(1))
	check("with an interim", at(3), true)
	a.Result(final("one", 0, 1), at(2))
	check("with a final", at(4), true)
	a.Result(final("", 1, 2), at(3))
	check("after silence", at(4), true)
	a.Result(interim("two", 2, 3), at(3.5))
	check("after an interim", at(5.5), true)
	a.Result(interim("two three", 2, 4), at(1))
	check("after the clock went back", at(5.5), true)
	if _, finalize := a.UtteranceEnd(UtteranceEnd{LastWordEnd: sec(4)}, at(5)); !finalize {
		t.Error("UtteranceEnd: got no finalize, want it")
	}
	check("while waiting for Finalize", at(7), true)
	a.Resume(at(20))
	check("after an outage", at(22), true)
	if _, finalize := a.Tick(at(22)); !finalize {
		t.Error("Tick with an interim: got no finalize, want it")
	}
	check("while waiting for Finalize again", at(24), true)
	a.Result(interim("two three four", 2, 4.5), at(23))
	check("after more words", at(24), true)
	a.Tick(at(24))
	check("after the timeout", time.Time{}, false)
	a.Result(final("five", 5, 6), at(25))
	a.Close(events.ByCallEnd, true)
	check("after Close", time.Time{}, false)
}

func TestANegativeTimeoutNeverComes(t *testing.T) {
	a := New(Options{Timeout: -1})
	a.Result(final("one", 0, 1), start)
	if _, ok := a.Deadline(); ok {
		t.Error("got a deadline, want none")
	}
	if out, finalize := a.Tick(at(1e6)); out != nil || finalize {
		t.Errorf("Tick: got %v %t, want nothing", out, finalize)
	}
}

func TestStatsCountWhatWasNotTaken(t *testing.T) {
	a := New(Options{})
	for _, r := range []Result{
		final("one two", 0, 2), final("one two", 0, 2), final("two three", 1, 3), // repeat; one word trimmed
		final("", 3, 4), interim("three", 2, 3), // nothing to count
		{Text: "x", Start: sec(9), End: sec(8)}, // odd
		final(strings.Repeat("long ", 500), 4, 5),
	} {
		a.Result(r, start)
	}
	if got, want := a.Stats(), (Stats{Repeats: 1, Trimmed: 1, Odd: 1, Cut: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// utteranceOf is the one utterance in out.
func utteranceOf(t *testing.T, out []events.Body) events.Utterance {
	t.Helper()
	if len(out) != 1 {
		t.Fatalf("got %d events, want 1", len(out))
	}
	u, ok := out[0].(events.UtteranceFinal)
	if !ok {
		t.Fatalf("got %T, want UtteranceFinal", out[0])
	}
	return u.Utterance
}
