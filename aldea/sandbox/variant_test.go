package sandbox_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

const longLine = "this is a long sentence of many words that gets finals before it comes to its end after all"

// three is a script of three utterances, one of them long enough for several finals.
func three() sandbox.Source {
	return sandbox.Script(
		sandbox.Say(500*time.Millisecond, "one two three"),
		sandbox.Say(2500*time.Millisecond, longLine),
		sandbox.Say(10*time.Second, "good bye"),
	)
}

var threeTexts = []string{"one two three", longLine, "good bye"}

// legalVariants are faults that only change how the same thing is said.
func legalVariants() []sandbox.Fault {
	var all []sandbox.Fault
	for _, words := range []sandbox.Words{sandbox.WordsProfile, sandbox.WordsArrays, sandbox.WordsObjects, sandbox.WordsEmpty, sandbox.WordsAbsent, sandbox.WordsRelative} {
		for _, end := range []sandbox.SpeechFinal{sandbox.SpeechFinalProfile, sandbox.SpeechFinalSame, sandbox.SpeechFinalEmpty, sandbox.SpeechFinalRepeated, sandbox.SpeechFinalNever} {
			all = append(all, sandbox.Fault{Words: words, SpeechFinal: end})
		}
	}
	for _, m := range []sandbox.Metadata{sandbox.MetadataOpen, sandbox.MetadataClose, sandbox.MetadataBoth, sandbox.MetadataNever} {
		all = append(all, sandbox.Fault{Metadata: m})
	}
	return append(all,
		sandbox.Fault{EmptyInterims: true}, sandbox.Fault{EmptyFinals: true}, sandbox.Fault{EmptyInterims: true, EmptyFinals: true},
		sandbox.Fault{Duplicate: true}, sandbox.Fault{Overlap: 700 * time.Millisecond}, sandbox.Fault{LateInterim: true},
		sandbox.Fault{Overlap: time.Second, Words: sandbox.WordsObjects, Duplicate: true, SpeechFinal: sandbox.SpeechFinalRepeated, LateInterim: true},
		sandbox.Fault{Overlap: time.Second, Words: sandbox.WordsRelative},
		sandbox.Fault{UnknownType: true}, sandbox.Fault{UnknownFields: true}, sandbox.Fault{InvalidJSON: true}, sandbox.Fault{Huge: true},
		sandbox.Fault{Latency: time.Second}, sandbox.Fault{Jitter: time.Second, Seed: 1}, sandbox.Fault{Burst: 2 * time.Second},
		sandbox.Fault{Mixed: true, Seed: 1, UnknownFields: true, LateInterim: true},
	)
}

func TestEveryVariantTellsTheSameUtterances(t *testing.T) {
	for _, profile := range []sandbox.Profile{sandbox.ProfileAldea, sandbox.ProfileDeepgram, sandbox.ProfileMixed} {
		faults := legalVariants()
		bubble(t, sandbox.Options{Source: three(), Profile: profile, Plan: faults, LongFinal: 2 * time.Second}, func(t *testing.T, srv *sandbox.Server) {
			for i, f := range faults {
				got := utterances(converse(t, srv, "utterance_end_ms=800&vad_events=true&endpointing=300", 11*time.Second))
				if !slices.Equal(got, threeTexts) {
					t.Errorf("%s, %v: got %q, want %q", profile, f, got, threeTexts)
				}
				if c := srv.Connections()[i]; c.Fault != f {
					t.Errorf("inspection shows %v, want %v", c.Fault, f)
				}
			}
		})
	}
}

func TestWordsComeInEveryShape(t *testing.T) {
	for shape, want := range map[sandbox.Words]string{
		sandbox.WordsProfile:  `,"words":[["good",2000,2300],["bye",2300,2600]]}`,
		sandbox.WordsArrays:   `,"words":[["good",2000,2300],["bye",2300,2600]]}`,
		sandbox.WordsObjects:  `,"words":[{"word":"good","start":2.0,"end":2.3,"confidence":0.9900},{"word":"bye","start":2.3,"end":2.6,"confidence":0.9900}]}`,
		sandbox.WordsEmpty:    `"confidence":0.9900,"words":[]}`,
		sandbox.WordsAbsent:   `"confidence":0.9900}`,
		sandbox.WordsRelative: `,"words":[["good",1000,1300],["bye",1300,1600]]}`,
	} {
		bubble(t, sandbox.Options{Fault: sandbox.Fault{Words: shape}}, func(t *testing.T, srv *sandbox.Server) {
			all := converse(t, srv, "", 4*time.Second)
			if last := all[len(all)-1]; !strings.Contains(last, `"transcript":"good bye"`) || !strings.Contains(last, want) {
				t.Errorf("%q: got %s, want %s in it", shape, last, want)
			}
		})
	}
}

// brief is a result in short: text, range, flags.
func brief(text string) string {
	var m struct {
		Type            string
		Start, Duration float64
		Final           bool `json:"is_final"`
		Speech          bool `json:"speech_final"`
		Channel         struct {
			Alternatives []struct{ Transcript string }
		}
	}
	if json.Unmarshal([]byte(text), &m) != nil || m.Type != "Results" {
		return ""
	}
	s := fmt.Sprintf("%s %.2g-%.2g", m.Channel.Alternatives[0].Transcript, m.Start, m.Start+m.Duration)
	if m.Final {
		s += " final"
	}
	if m.Speech {
		s += " end"
	}
	return s
}

// briefs are those of all results.
func briefs(all []string) []string {
	var some []string
	for _, text := range all {
		if s := brief(text); s != "" {
			some = append(some, s)
		}
	}
	return some
}

// wantBriefs checks the results of hello(), cut short after its first utterance, without interims.
func wantBriefs(t *testing.T, f sandbox.Fault, query string, audio time.Duration, want ...string) {
	t.Helper()
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		t.Helper()
		if got := briefs(converse(t, srv, "interim_results=false&"+query, audio)); !slices.Equal(got, want) {
			t.Errorf("%v: got %q, want %q", f, got, want)
		}
	})
}

func TestSpeechFinalComesInEveryWay(t *testing.T) {
	wantBriefs(t, sandbox.Fault{}, "", 1500*time.Millisecond, "hello world 0-1 final end")
	wantBriefs(t, sandbox.Fault{SpeechFinal: sandbox.SpeechFinalEmpty}, "", 1500*time.Millisecond, "hello world 0-1 final", " 1-1 final end")
	wantBriefs(t, sandbox.Fault{SpeechFinal: sandbox.SpeechFinalRepeated}, "", 1500*time.Millisecond, "hello world 0-1 final", "hello world 0-1 final end")
	wantBriefs(t, sandbox.Fault{SpeechFinal: sandbox.SpeechFinalNever}, "", 1500*time.Millisecond, "hello world 0-1 final")
}

func TestMixedLeavesWhatIsAskedFor(t *testing.T) {
	f := sandbox.Fault{Mixed: true, Metadata: sandbox.MetadataNever, SpeechFinal: sandbox.SpeechFinalSame, Words: sandbox.WordsObjects}
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		for range 20 {
			all := converse(t, srv, "", 1500*time.Millisecond)
			joined := strings.Join(all, "")
			if !slices.Contains(briefs(all), "hello world 0-1 final end") || strings.Contains(joined, `"Metadata"`) || !strings.Contains(joined, `{"word":`) {
				t.Errorf("got %q, want one end, no Metadata and words as objects", all)
			}
		}
	})
}

func TestMetadataComesWhenAsked(t *testing.T) {
	for when, want := range map[sandbox.Metadata][2]bool{
		sandbox.MetadataProfile: {true, false}, sandbox.MetadataOpen: {true, false}, sandbox.MetadataClose: {false, true},
		sandbox.MetadataBoth: {true, true}, sandbox.MetadataNever: {},
	} {
		bubble(t, sandbox.Options{Fault: sandbox.Fault{Metadata: when}}, func(t *testing.T, srv *sandbox.Server) {
			all := converse(t, srv, "", time.Second)
			is := func(s string) bool { return strings.HasPrefix(s, `{"type":"Metadata"`) }
			count := len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !is(s) }))
			if got := [2]bool{is(all[0]), is(all[len(all)-1])}; got != want || count > 2 {
				t.Errorf("%q: got Metadata first and last %v, %d in all; want %v", when, got, count, want)
			}
			if want[1] && !strings.Contains(all[len(all)-1], `"duration":1.0`) {
				t.Errorf("got %s at the end, want the true duration", all[len(all)-1])
			}
		})
	}
}

func TestSilenceIsToldOfInInterims(t *testing.T) {
	quiet := sandbox.Script(sandbox.Say(10*time.Second, "late"))
	for on, want := range map[bool][]string{
		true:  {" 0-1", " 0-2", " 0-3", " 0-4"},
		false: nil,
	} {
		bubble(t, sandbox.Options{Source: quiet, Fault: sandbox.Fault{EmptyInterims: on}}, func(t *testing.T, srv *sandbox.Server) {
			if got := briefs(converse(t, srv, "", 4*time.Second)); !slices.Equal(got, want) {
				t.Errorf("empty interims %v: got %q, want %q", on, got, want)
			}
			if got := briefs(converse(t, srv, "interim_results=false", 4*time.Second)); got != nil {
				t.Errorf("got %q, want no interims that nobody asked for", got)
			}
		})
	}
}

func TestSilenceIsToldOfInFinals(t *testing.T) {
	quiet := sandbox.Script(sandbox.Say(13*time.Second, "late"))
	for on, want := range map[bool][]string{
		true:  {" 0-5 final", " 5-10 final", "late 10-14 final end", " 14-14 final end"},
		false: {"late 0-14 final end"},
	} {
		bubble(t, sandbox.Options{Source: quiet, Fault: sandbox.Fault{EmptyFinals: on}}, func(t *testing.T, srv *sandbox.Server) {
			if got := briefs(converse(t, srv, "interim_results=false&endpointing=700", 14*time.Second)); !slices.Equal(got, want) {
				t.Errorf("empty finals %v: got %q, want %q", on, got, want)
			}
			if got := briefs(converse(t, srv, "interim_results=false&endpointing=false", 12*time.Second)); len(got) > 1 {
				t.Errorf("got %q, want no finals without endpointing", got)
			}
		})
	}
}
