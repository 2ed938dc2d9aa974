package transcript

import (
	"fmt"
	"reflect"
	"testing"

	"aldeabridge/events"
)

// The recognizer's documentation shows speech_final both on the last final and as a step after it, and public
// clients have seen the step repeat the text. Each shape rewrites one call, told in the first of them.
var endShapes = []struct {
	name string
	last func(r Result, later float64) []step // r is the last final of an utterance; later a time after it
}{
	{"same message", func(r Result, _ float64) []step { return []step{r} }},
	{"same message, is_final missing", func(r Result, _ float64) []step {
		r.Final = false
		return []step{r}
	}},
	{"same message, sent twice", func(r Result, _ float64) []step { return []step{r, r} }},
	{"separate and empty", func(r Result, later float64) []step {
		return []step{plain(r), Result{Start: r.End, End: sec(later), Final: true, SpeechFinal: true}}
	}},
	{"separate, empty and without times", func(r Result, _ float64) []step {
		return []step{plain(r), Result{SpeechFinal: true}}
	}},
	{"separate, empty, over the same range", func(r Result, _ float64) []step {
		return []step{plain(r), Result{Start: r.Start, End: r.End, Final: true, SpeechFinal: true}}
	}},
	{"separate and repeated", func(r Result, _ float64) []step { return []step{plain(r), r} }},
	{"separate and repeated, reaching further", func(r Result, later float64) []step {
		again := r
		again.End = sec(later)
		return []step{plain(r), again}
	}},
	{"repeated, then empty", func(r Result, later float64) []step {
		return []step{plain(r), r, Result{Start: r.End, End: sec(later), SpeechFinal: true}}
	}},
	{"empty, then repeated", func(r Result, later float64) []step {
		return []step{plain(r), Result{Start: r.End, End: sec(later), SpeechFinal: true}, r}
	}},
	{"UtteranceEnd after each", func(r Result, _ float64) []step { return []step{r, utterEnd(r.End.Seconds())} }},
}

// plain is a final without speech_final.
func plain(r Result) Result {
	r.SpeechFinal = false
	return r
}

// call tells one call of two utterances in a shape. interims are optional, and so are word times.
func call(last func(Result, float64) []step, words, interims, late bool) []step {
	var steps []step
	add := func(more ...step) {
		for _, s := range more {
			if r, ok := s.(Result); ok && !words {
				s = wordless(r)
			}
			steps = append(steps, s)
		}
	}
	if interims {
		add(interim("book", 0, 0.6), interim("book a table", 0, 1.4))
	}
	add(final("Book a table", 0, 1.5))
	if interims {
		add(interim("for to", 1.5, 2.4))
	}
	add(last(speechFinal("for two.", 1.5, 2.5), 2.8)...)
	if late {
		add(interim("for", 1.5, 2.3))
	}
	if interims {
		add(interim("at", 3, 3.4))
	}
	add(last(speechFinal("At eight.", 3, 4), 4.2)...)
	if late {
		add(interim("at", 3, 3.9))
	}
	return append(steps, closing(true))
}

func TestEveryShapeOfSpeechFinalGivesTheSameUtterances(t *testing.T) {
	for _, words := range []bool{true, false} {
		var want []events.Utterance
		for _, shape := range endShapes {
			for _, interims := range []bool{true, false} {
				for _, late := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s, words %v, interims %v, late interims %v", shape.name, words, interims, late), func(t *testing.T) {
						var got []events.Utterance
						for _, body := range play(t, New(Options{Prefix: "t"}), call(shape.last, words, interims, late)) {
							if u, ok := body.(events.UtteranceFinal); ok {
								got = append(got, u.Utterance)
							}
						}
						if want == nil {
							want = got
							if len(got) != 2 || got[0].Text != "Book a table for two." || got[1].Text != "At eight." {
								t.Fatalf("got %+v, want two utterances", got)
							}
						}
						if !reflect.DeepEqual(got, want) {
							t.Errorf("got  %+v\nwant %+v", got, want)
						}
					})
				}
			}
		}
	}
}
