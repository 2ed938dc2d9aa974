package transcript

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

// start is the wall clock of all tests. Only differences matter.
var start = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return start.Add(sec(seconds)) }

func sec(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds*1000)) * time.Millisecond
}

// result makes a result with its words spread evenly over the range.
func result(text string, from, to float64) Result {
	r := Result{Text: text, Confidence: 0.9, Start: sec(from), End: sec(to)}
	words := strings.Fields(text)
	for i, w := range words {
		step := (r.End - r.Start) / time.Duration(len(words))
		r.Words = append(r.Words, Word{Text: w, Start: r.Start + time.Duration(i)*step, End: r.Start + time.Duration(i+1)*step})
	}
	return r
}

func interim(text string, from, to float64) Result { return result(text, from, to) }

func final(text string, from, to float64) Result {
	r := result(text, from, to)
	r.Final = true
	return r
}

func speechFinal(text string, from, to float64) Result {
	r := final(text, from, to)
	r.SpeechFinal = true
	return r
}

func wordless(r Result) Result {
	r.Words = nil
	return r
}

func timeless(r Result) Result {
	r.Words, r.Start, r.End = nil, 0, 0
	return r
}

// A step is one call of an Assembler.
type step any

type tick float64      // Tick at that second of the wall clock
type closing bool      // Close
type utterEnd float64  // UtteranceEnd with that last word's end
type finalizing string // wants that the step before asked to finalize: "yes" or "no"

// brief is an event as the tables write it: "id: text" for interims, "id= text (ended_by)" for utterances.
func brief(body events.Body) string {
	switch b := body.(type) {
	case events.TranscriptInterim:
		return b.Utterance + ": " + b.Text
	case events.UtteranceFinal:
		s := fmt.Sprintf("%s= %s (%s)", b.Utterance.ID, b.Utterance.Text, b.Utterance.EndedBy)
		if !b.Utterance.Confirmed {
			s += " unconfirmed"
		}
		return s
	}
	return fmt.Sprintf("unexpected %T", body)
}

// play runs steps, one a tenth of a second apart, and returns the events.
func play(t *testing.T, a *Assembler, steps []step) []events.Body {
	t.Helper()
	var out []events.Body
	var asked bool
	for i, s := range steps {
		now := at(float64(i) / 10)
		switch s := s.(type) {
		case Result:
			out = append(out, a.Result(s, now)...)
		case utterEnd:
			var more []events.Body
			more, asked = a.UtteranceEnd(UtteranceEnd{LastWordEnd: sec(float64(s))}, now)
			out = append(out, more...)
		case finalizing:
			if got := map[bool]finalizing{true: "yes", false: "no"}[asked]; got != s {
				t.Errorf("step %d: finalize: got %s, want %s", i, got, s)
			}
		case tick:
			var more []events.Body
			more, asked = a.Tick(at(float64(s)))
			out = append(out, more...)
		case closing:
			out = append(out, a.Close(events.ByCallEnd, bool(s))...)
		default:
			t.Fatalf("step %d: unknown step %T", i, s)
		}
	}
	return out
}

func TestAssembler(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 500))
	for _, tt := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"interims grow into the utterance and have its id", []step{
			interim("book", 0, 0.5), interim("book a", 0, 0.8), interim("book a table", 0, 1.2), speechFinal("Book a table.", 0, 1.5),
		}, []string{"t-1: book", "t-1: book a", "t-1: book a table", "t-1= Book a table. (speech_final)"}},
		{"finals are joined up to speech_final", []step{
			interim("I would", 0, 1), final("I would like", 0, 5), interim("to book", 5, 6), final("to book a", 5, 10), speechFinal("table", 10, 11),
		}, []string{"t-1: I would", "t-1: I would like", "t-1: I would like to book", "t-1: I would like to book a", "t-1= I would like to book a table (speech_final)"}},
		{"an interim that repeats itself is no news", []step{
			interim("hello", 0, 1), interim("hello", 0, 2), interim("hello you", 0, 3),
		}, []string{"t-1: hello", "t-1: hello you"}},
		{"a new utterance may begin like the last one", []step{
			final("yes", 0, 1), tick(9), interim("yes", 1, 2),
		}, []string{"t-1: yes", "t-1= yes (timeout)", "t-2: yes"}},
		{"white space becomes single spaces", []step{
			final(" \tone \n two ", 0, 1), speechFinal("  three\n", 1, 2),
		}, []string{"t-1: one two", "t-1= one two three (speech_final)"}},
		{"results without text are silence", []step{
			interim("", 0, 1), final("", 0, 2), speechFinal(" ", 2, 3), utterEnd(1), tick(99), closing(true),
		}, nil},
		{"speech_final without is_final is final", []step{
			Result{Text: "hello", Start: 0, End: sec(1), SpeechFinal: true},
		}, []string{"t-1= hello (speech_final)"}},
		{"a speech_final that says nothing ends the utterance", []step{
			final("hello", 0, 1), speechFinal("", 1, 1.3),
		}, []string{"t-1: hello", "t-1= hello (speech_final)"}},
		{"a speech_final that repeats ends the utterance", []step{
			final("hello", 0, 1), speechFinal("hello", 0, 1),
		}, []string{"t-1: hello", "t-1= hello (speech_final)"}},
		{"a speech_final that repeats all finals ends the utterance", []step{
			final("one two", 0, 5), final("three", 5, 6), speechFinal("one two three", 0, 6),
		}, []string{"t-1: one two", "t-1: one two three", "t-1= one two three (speech_final)"}},
		{"a message that comes twice counts once", []step{
			speechFinal("hello", 0, 1), speechFinal("hello", 0, 1), speechFinal("", 0, 1), speechFinal("bye", 1, 2), closing(true),
		}, []string{"t-1= hello (speech_final)", "t-2= bye (speech_final)"}},
		{"a final replayed with a later end gives only its new words", []step{
			final("one two", 0, 2), speechFinal("one two three", 0, 3),
		}, []string{"t-1: one two", "t-1= one two three (speech_final)"}},
		{"words are cut by their middles and keep the transcript's spelling", []step{
			final("one two three", 0, 3), speechFinal("Three, four.", 2, 4), closing(true),
		}, []string{"t-1: one two three", "t-1= one two three four. (speech_final)"}},
		{"an old result that comes late is dropped", []step{
			speechFinal("one two", 0, 2), speechFinal("three", 2, 3), speechFinal("one", 0, 1), final("two", 1, 2), closing(true),
		}, []string{"t-1= one two (speech_final)", "t-2= three (speech_final)"}},
		{"an interim after its final is dropped", []step{
			final("hello", 0, 1), interim("hell", 0, 0.8), speechFinal("", 1, 1.2), interim("hello", 0, 1), closing(true),
		}, []string{"t-1: hello", "t-1= hello (speech_final)"}},
		{"an interim that reaches into the committed part shows what is new", []step{
			speechFinal("one two", 0, 2), interim("one two three", 0, 3), speechFinal("three", 2, 3),
		}, []string{"t-1= one two (speech_final)", "t-2: three", "t-2= three (speech_final)"}},
		{"a recognizer that hears again after a reconnect does not shorten the interim", []step{
			interim("one two three", 0, 3), interim("one", 0, 1), interim("", 0, 1.5), interim("one two three four", 0, 4),
		}, []string{"t-1: one two three", "t-1: one two three four"}},
		{"an interim may be taken back", []step{
			interim("uh", 0, 1), interim("", 0, 2), closing(true),
		}, []string{"t-1: uh"}},
		{"a final takes the interim's place", []step{
			interim("wreck a nice beach", 0, 2), speechFinal("", 0, 2), closing(true),
		}, []string{"t-1: wreck a nice beach"}},
		{"a speech_final that comes late leaves the next interim alone", []step{
			final("one", 0, 1), interim("two", 1.5, 2), speechFinal("", 1, 1.5), closing(false),
		}, []string{"t-1: one", "t-1: one two", "t-1= one (speech_final)", "t-2= two (call_end) unconfirmed"}},
		{"an interim from the future lasts until the next final", []step{
			interim("nonsense", 3600, 3601), speechFinal("hello", 0, 1), interim("you", 1, 2), closing(false),
		}, []string{"t-1: nonsense", "t-1= hello (speech_final)", "t-2: you", "t-2= you (call_end) unconfirmed"}},

		{"UtteranceEnd ends committed text", []step{
			final("hello", 0, 1), utterEnd(1), finalizing("no"), speechFinal("", 1, 2),
		}, []string{"t-1: hello", "t-1= hello (utterance_end)"}},
		{"UtteranceEnd after speech_final is redundant", []step{
			speechFinal("hello", 0, 1), utterEnd(1), finalizing("no"),
		}, []string{"t-1= hello (speech_final)"}},
		{"UtteranceEnd of the last utterance does not end the next", []step{
			speechFinal("hello", 0, 1), final("and then", 1, 3), utterEnd(1), closing(true),
		}, []string{"t-1= hello (speech_final)", "t-2: and then", "t-2= and then (call_end)"}},
		{"UtteranceEnd without a word is ignored", []step{
			final("hello", 0, 1), utterEnd(-1), closing(true),
		}, []string{"t-1: hello", "t-1= hello (call_end)"}},
		{"UtteranceEnd with only an interim asks to finalize, and the final ends the utterance", []step{
			interim("hello", 0, 1), utterEnd(1), finalizing("yes"), final("hello", 0, 1.5), closing(true),
		}, []string{"t-1: hello", "t-1= hello (utterance_end)"}},
		{"UtteranceEnd before the interim's beginning is not about it", []step{
			interim("hello", 2, 3), utterEnd(1), finalizing("no"), closing(true),
		}, []string{"t-1: hello", "t-1= hello (call_end) unconfirmed"}},
		{"UtteranceEnd about an interim waits for its final and joins it", []step{
			final("I want", 0, 3), interim("a table", 3, 4), utterEnd(4), finalizing("yes"), final("a table", 3, 4.2), closing(true),
		}, []string{"t-1: I want", "t-1: I want a table", "t-1= I want a table (utterance_end)"}},
		{"UtteranceEnd about the finals does not wait for the interim", []step{
			final("I want", 0, 3), interim("uh", 3, 4), utterEnd(3), finalizing("no"), speechFinal("a table", 3, 4),
		}, []string{"t-1: I want", "t-1: I want uh", "t-1= I want (utterance_end)", "t-2= a table (speech_final)"}},
		{"a repeated final does not answer Finalize", []step{
			final("one", 0, 1), interim("two", 1, 3), utterEnd(3), final("one", 0, 1), final("two", 1, 3), closing(true),
		}, []string{"t-1: one", "t-1: one two", "t-1= one two (utterance_end)"}},
		{"an empty answer to Finalize ends what was committed", []step{
			final("one", 0, 1), interim("uh", 1, 3), utterEnd(3), finalizing("yes"), final("", 1, 3), final("two", 3, 4), closing(true),
		}, []string{"t-1: one", "t-1: one uh", "t-1= one (utterance_end)", "t-2: two", "t-2= two (call_end)"}},

		{"the timer ends committed text", []step{
			final("hello", 0, 1), tick(1.4), tick(1.5), tick(9), speechFinal("hello", 0, 1),
		}, []string{"t-1: hello", "t-1= hello (timeout)"}},
		{"the timer never ends an interim", []step{
			interim("hello", 0, 1), tick(99),
		}, []string{"t-1: hello"}},
		{"text restarts the timer, repeats do not", []step{
			final("one", 0, 1), interim("two", 1, 2), final("one", 0, 1), tick(1.55), finalizing("no"), tick(1.6), finalizing("yes"),
		}, []string{"t-1: one", "t-1: one two"}},

		{"the end of the call ends the utterance", []step{
			final("my name is", 0, 2), closing(true), final("Joe", 2, 3), interim("Joe", 2, 3), utterEnd(3), tick(99), closing(true),
		}, []string{"t-1: my name is", "t-1= my name is (call_end)"}},
		{"text that the recognizer could not finish is not confirmed", []step{
			final("my name is", 0, 2), closing(false),
		}, []string{"t-1: my name is", "t-1= my name is (call_end) unconfirmed"}},
		{"a pending interim joins the last utterance, not confirmed", []step{
			final("my name is", 0, 2), interim("Joe", 2, 2.5), closing(true),
		}, []string{"t-1: my name is", "t-1: my name is Joe", "t-1= my name is Joe (call_end) unconfirmed"}},

		{"an utterance of more than 60 s is cut", []step{
			final("one", 0, 30), final("two", 30, 60), final("three", 60, 61), speechFinal("four", 61, 62),
		}, []string{"t-1: one", "t-1: one two", "t-1= one two three (timeout)", "t-2= four (speech_final)"}},
		{"an utterance of more than 2000 characters is cut", []step{
			final(long, 0, 10), speechFinal("end", 10, 11),
		}, []string{"t-1= " + long + " (timeout)", "t-2= end (speech_final)"}},

		{"without words a repeat is known by its range", []step{
			wordless(final("one two", 0, 2)), wordless(speechFinal("one two", 0, 2)), wordless(speechFinal("two", 1, 2)), closing(true),
		}, []string{"t-1: one two", "t-1= one two (speech_final)"}},
		{"without words a repeat that ends later is known by its text", []step{
			wordless(final("one two", 0, 2)), wordless(speechFinal("One two.", 0, 2.2)), closing(true),
		}, []string{"t-1: one two", "t-1= one two (speech_final)"}},
		{"without words a replay that covers a final gives what follows it", []step{
			wordless(final("one two", 0, 2)), wordless(speechFinal("one two three", 0, 3)), closing(true),
		}, []string{"t-1: one two", "t-1= one two three (speech_final)"}},
		{"without words an overlap is kept: doubled is better than lost", []step{
			wordless(final("one two", 0, 2)), wordless(speechFinal("two three", 1, 3)), closing(true),
		}, []string{"t-1: one two", "t-1= one two two three (speech_final)"}},
		{"without words a late interim that reaches a little further is dropped", []step{
			wordless(speechFinal("one two", 0, 2)), wordless(interim("one", 0, 2.1)), closing(true),
		}, []string{"t-1= one two (speech_final)"}},

		{"results without times are kept in order", []step{
			timeless(final("yes", 0, 0)), timeless(final("yes", 0, 0)), timeless(speechFinal("please", 0, 0)), timeless(speechFinal("please", 0, 0)),
		}, []string{"t-1: yes", "t-1: yes yes", "t-1= yes yes please (speech_final)", "t-2= please (speech_final)"}},
		{"without times a speech_final that repeats the last final is a repeat", []step{
			timeless(final("yes", 0, 0)), timeless(speechFinal("yes", 0, 0)), closing(true),
		}, []string{"t-1: yes", "t-1= yes (speech_final)"}},
		{"a result whose length is missing stands where its words are", []step{
			Result{Text: "one two", Start: sec(1), End: sec(1), Words: result("one two", 1, 3).Words, Final: true}, speechFinal("one two", 1, 3), closing(true),
		}, []string{"t-1: one two", "t-1= one two (speech_final)"}},
		{"times that cannot be true do not swallow what comes later", []step{
			Result{Text: "one", Start: 0, End: math.MaxInt64, Final: true}, Result{Text: "two", Start: math.MinInt64, End: math.MinInt64, Final: true},
			Result{Text: "three", Start: sec(9), End: sec(1), Final: true}, speechFinal("four", 0, 1), closing(true),
		}, []string{"t-1: one", "t-1: one two", "t-1: one two three", "t-1= one two three four (speech_final)"}},
		{"words that do not fit their result are not used to cut it", []step{
			final("one", 0, 30.5), Result{Text: "two three", Start: sec(30), End: sec(35), Words: result("two three", 0, 5).Words, SpeechFinal: true}, closing(true),
		}, []string{"t-1: one", "t-1= one two three (speech_final)"}},
		{"a result with words but no text has the text of its words", []step{
			Result{Start: 0, End: sec(1), Words: []Word{{Text: "one"}, {Text: " "}, {Text: "two", Start: sec(0.5), End: sec(1)}}, SpeechFinal: true},
		}, []string{"t-1= one two (speech_final)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, body := range play(t, New(Options{Prefix: "t"}), tt.steps) {
				got = append(got, brief(body))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
			}
		})
	}
}
