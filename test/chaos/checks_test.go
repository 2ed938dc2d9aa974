package calltest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

// ms is n milliseconds.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// words returns words of 200 ms, one every 300 ms.
func words(texts string) []Word {
	var all []Word
	for i, text := range strings.Fields(texts) {
		all = append(all, Word{Text: text, Start: ms(300 * i), End: ms(300*i + 200)})
	}
	return all
}

func TestTheJudgeSeesWhatHappenedToWords(t *testing.T) {
	late := words("a b c d")
	late[2].Start += ms(60)
	tests := map[string]struct {
		heard []Word
		gaps  []Span
		want  string // part of the finding; empty for none
	}{
		"all of it":                             {heard: words("a b c d")},
		"lost":                                  {append(words("a b"), words("- - - d")[3]), nil, `"c", said at 600ms, was lost`},
		"lost at the end":                       {words("a b c"), nil, `"d", said at 900ms, was lost`},
		"doubled":                               {words("a b b c d"), nil, `"b" was heard twice`},
		"doubled later":                         {words("a b c a d"), nil, `"a" was heard twice`},
		"out of order":                          {words("a c b d"), nil, `"c" came where "b" should be`},
		"damaged":                               {words("a \uFFFD c d"), nil, `"b", said at 300ms, was lost`},
		"made up":                               {words("a b c d e"), nil, `"e" was heard, and nobody said it`},
		"late":                                  {late, nil, `"c" began at 660ms, not at 600ms`},
		"missing in a gap":                      {[]Word{words("a")[0], words("- - - d")[3]}, []Span{{ms(250), ms(850)}}, ""},
		"missing beside a gap":                  {[]Word{words("a")[0], words("- - - d")[3]}, []Span{{ms(250), ms(500)}}, `"c", said at 600ms, was lost`},
		"heard in a gap":                        {words("a b c d"), []Span{{ms(200), ms(900)}}, `"b" was heard although it lies inside a gap`},
		"cut by the edge of a gap, and damaged": {append(words("a \uFFFD"), words("- - c d")[2:]...), []Span{{ms(250), ms(400)}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var found []string
			j := callChecker{
				world: &simulation{schedule: &Schedule{}}, call: &Call{},
				find: func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) },
			}
			j.words(&Leg{Speaker: events.Caller, Words: words("a b c d")}, test.heard, test.gaps)
			got := strings.Join(found, "; ")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheJudgeWantsAGapOnlyWhereTheBufferIsTooSmall(t *testing.T) {
	tests := map[string]struct {
		outage time.Duration
		gaps   []Span
		want   string
	}{
		"none needed, none there": {5 * time.Second, nil, ""},
		"none needed":             {5 * time.Second, []Span{{0, time.Second}}, "although all that had to wait fits"},
		"missing":                 {20 * time.Second, nil, "want one that ends at 15s"},
		"right":                   {20 * time.Second, []Span{{ms(4000), ms(15020)}}, ""},
		"too late":                {20 * time.Second, []Span{{ms(4000), ms(15060)}}, "want it to end at 15s"},
		"in two":                  {20 * time.Second, []Span{{ms(4000), ms(6000)}, {ms(6000), ms(15000)}}, "want one that ends"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var found []string
			l := Leg{Speaker: events.Caller, Audio: make([]byte, 8000*60), Outages: []Span{{5 * time.Second, 5*time.Second + test.outage}}}
			key := legKey{"CA1", events.Caller}
			j := callChecker{
				world: &simulation{
					schedule:   &Schedule{Buffer: 10 * time.Second},
					recognizer: &recognizer{legs: map[legKey]*leg{key: {answered: []time.Duration{0, 5*time.Second + test.outage}}}},
				},
				call: &Call{SID: "CA1", Legs: []Leg{l}},
				find: func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) },
			}
			j.gaps(&l, test.gaps)
			got := strings.Join(found, "; ")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestASeedAlwaysMakesTheSameSchedule(t *testing.T) {
	for seed := range uint64(12) {
		o := Options{Seed: seed, Length: 5 * time.Second}
		one, two := New(o), New(o)
		if !reflect.DeepEqual(one, two) {
			t.Fatalf("seed %d: got two different schedules:\n%v\n%v", seed, one, two)
		}
	}
}

func TestEveryKindOfWeatherComesUp(t *testing.T) {
	seen := map[Weather]int{}
	for seed := range uint64(60) {
		s := New(Options{Seed: seed, Calls: 1, Length: 2 * time.Second})
		seen[s.Weather]++
		for _, l := range s.Calls[0].Legs {
			if len(l.Words) == 0 || l.Length() == 0 {
				t.Errorf("seed %d: %s says nothing", seed, l.Speaker)
			}
		}
	}
	for _, w := range []Weather{Calm, Resets, Outage, Overflow, HalfOpen} {
		if seen[w] == 0 {
			t.Errorf("got %v, want %s among them", seen, w)
		}
	}
}

func TestPeakIsTheMostWithinASecond(t *testing.T) {
	if got := peak([]time.Duration{ms(3000), 0, ms(500), ms(999), ms(1000), ms(1400)}); got != 4 {
		t.Errorf("got %d, want 4", got)
	}
}
