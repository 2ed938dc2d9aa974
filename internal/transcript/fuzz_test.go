package transcript

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

// A script turns fuzz bytes into the calls of an Assembler. Every word of a final is unique, w1, w2…, and every
// word of an interim is i1, i2…, so that each can be followed into the output.
type script struct {
	bytes []byte
	words int
}

func (s *script) more() bool { return len(s.bytes) > 0 }

func (s *script) next() int {
	if len(s.bytes) == 0 {
		return 0
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return int(b)
}

// result makes a result somewhere around from, with up to four words.
func (s *script) result(from time.Duration, letter string) Result {
	const unit = 100 * time.Millisecond
	from = max(0, from+time.Duration(s.next()%24-12)*unit)
	length := time.Duration(s.next()%16+1) * unit
	n := s.next() % 5
	r := Result{Start: from, End: from + length, Confidence: float64(s.next()) / 200}
	var text []string
	for i := range n {
		s.words++
		w := letter + strconv.Itoa(s.words)
		text = append(text, w)
		r.Words = append(r.Words, Word{w, from + length*time.Duration(i)/time.Duration(n), from + length*time.Duration(i+1)/time.Duration(n)})
	}
	r.Text = strings.Join(text, " ")
	return r
}

// hostile spoils some of a result.
func (s *script) hostile(r Result) Result {
	times := []time.Duration{math.MinInt64, -1, 0, 1, latest, latest + 1, math.MaxInt64, r.End, r.Start}
	switch s.next() % 8 {
	case 0:
		r.Words = nil
	case 1:
		r.Start = times[s.next()%len(times)]
	case 2:
		r.End = times[s.next()%len(times)]
	case 3:
		r.Start, r.End = r.End, r.Start
	case 4:
		if len(r.Words) > 0 {
			w := &r.Words[s.next()%len(r.Words)]
			w.Start, w.End = times[s.next()%len(times)], times[s.next()%len(times)]
		}
	case 5:
		slices.Reverse(r.Words)
	case 6:
		r.Text = ""
	case 7:
		r.Confidence = math.NaN()
	}
	return r
}

// checkUtterances checks what holds for whatever a recognizer sends.
func checkUtterances(t *testing.T, out []events.Body) (utterances []events.Utterance) {
	t.Helper()
	var end events.Offset
	for _, body := range out {
		id := fmt.Sprintf("t-%d", len(utterances)+1)
		switch b := body.(type) {
		case events.TranscriptInterim:
			if b.Text == "" || b.Utterance != id || b.Start < 0 || b.End < b.Start {
				t.Errorf("got interim %+v, want id %s, text, and times in order", b, id)
			}
		case events.UtteranceFinal:
			u := b.Utterance
			if u.Text == "" || u.Text != clean(u.Text) || u.ID != id {
				t.Errorf("got utterance %q %q, want id %s and clean text", u.ID, u.Text, id)
			}
			if u.Start < end || u.End < u.Start {
				t.Errorf("%s: got %v to %v after an utterance that ended at %v, want rising times", id, u.Start, u.End, end)
			}
			if !(u.Confidence >= 0 && u.Confidence <= 1) {
				t.Errorf("%s: got confidence %v, want 0 to 1", id, u.Confidence)
			}
			from := u.Start
			for _, w := range u.Words {
				if w.Text == "" || w.Start < from || w.End < w.Start || w.End > u.End {
					t.Errorf("%s: got word %+v in %v to %v, want rising times inside", id, w, u.Start, u.End)
				}
				from = w.Start
			}
			end = u.End
			utterances = append(utterances, u)
		}
	}
	return utterances
}

// finalWords are the words of finals in the utterances' texts.
func finalWords(utterances []events.Utterance) (words []string) {
	for _, u := range utterances {
		for _, w := range strings.Fields(u.Text) {
			if w[0] == 'w' {
				words = append(words, w)
			}
		}
	}
	return words
}

// model says which words of finals must come out: those not inside the committed range.
type model struct {
	end  time.Duration
	want []string
}

func (m *model) final(r Result) {
	kept := false
	for _, w := range r.Words {
		if r.End > m.end && (r.Start >= m.end || w.Start+(w.End-w.Start)/2 >= m.end) {
			m.want = append(m.want, w.Text)
			kept = true
		}
	}
	if kept {
		m.end = r.End
	}
}

// FuzzAssembler feeds results with believable times, in any order, some of them twice.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte{1, 12, 9, 3, 180, 2, 12, 9, 3, 180, 4, 0, 1, 6, 9, 4, 150, 8})
	f.Add([]byte{3, 0, 0, 1, 0, 3, 12, 12, 4, 0, 9, 1, 5, 3, 0, 12, 12, 4, 0, 9, 9, 6, 40, 7, 30})
	f.Add([]byte("0123456789 the quick brown fox jumps over the lazy dog ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := New(Options{Prefix: "t", Timeout: time.Second, FinalizeTimeout: 24 * time.Hour, MaxDuration: 5 * time.Second, MaxRunes: 60})
		s := &script{bytes: data}
		var out []events.Body
		var m model
		var sent []Result
		var head time.Duration // where the recognizer roughly is
		now := start
		for s.more() {
			now = now.Add(100 * time.Millisecond)
			switch op := s.next() % 10; op {
			case 0, 1, 2, 3: // a final
				r := s.result(head, "w")
				r.Final, r.SpeechFinal = op > 1, op != 2
				head = max(head, r.End)
				sent = append(sent, r)
				m.final(r)
				out = append(out, a.Result(r, now)...)
			case 4, 5: // an interim
				out = append(out, a.Result(s.result(head, "i"), now)...)
			case 6: // a final once more
				if len(sent) > 0 {
					r := sent[s.next()%len(sent)]
					m.final(r)
					out = append(out, a.Result(r, now)...)
				}
			case 7:
				more, _ := a.UtteranceEnd(UtteranceEnd{LastWordEnd: head + time.Duration(s.next()-40)*100*time.Millisecond}, now)
				out = append(out, more...)
			case 8:
				now = now.Add(time.Duration(s.next()) * 10 * time.Millisecond)
				more, _ := a.Tick(now)
				out = append(out, more...)
			case 9:
				out = append(out, a.Result(Result{SpeechFinal: true, Start: head, End: head + time.Millisecond}, now)...)
			}
		}
		out = append(out, a.Close(events.ByCallEnd, true)...)
		utterances := checkUtterances(t, out)
		if got := finalWords(utterances); !slices.Equal(got, m.want) {
			t.Errorf("got words %v\nwant      %v", got, m.want)
		}
		for _, u := range utterances {
			if u.Confirmed && strings.Contains(u.Text, "i") {
				t.Errorf("got a confirmed utterance %q with words of an interim", u.Text)
			}
		}
	})
}

// FuzzHostile feeds results that no honest recognizer sends. No word may come out twice, and none may be lost
// that no earlier final can account for.
func FuzzHostile(f *testing.F) {
	f.Add([]byte{0, 12, 9, 3, 180, 1, 6, 0, 12, 9, 3, 180, 2, 6, 1, 12, 9, 3, 180, 3})
	f.Add([]byte("0123456789 the quick brown fox jumps over the lazy dog ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := New(Options{Prefix: "t", FinalizeTimeout: 24 * time.Hour, MaxDuration: 5 * time.Second, MaxRunes: 60})
		s := &script{bytes: data}
		var out []events.Body
		var must []string
		var head, known time.Duration // known is the latest time that a final could have committed
		now := start
		for s.more() {
			now = now.Add(time.Duration(s.next()-20) * 10 * time.Millisecond)
			op := s.next()
			letter := "w"
			if op%3 == 0 {
				letter = "i"
			}
			plainResult := s.result(head, letter)
			r := s.hostile(plainResult)
			r.Final, r.SpeechFinal = letter == "w", op%3 == 1
			head = max(head, plainResult.End)
			if r.Final && r.Start >= known && r.End > r.Start && r.End <= latest {
				must = append(must, strings.Fields(plainResult.Text)...)
			}
			if r.Final && r.End <= latest {
				known = max(known, r.End)
			}
			for _, w := range r.Words { // where the range is unusable, the words' counts
				if r.Final && w.End <= latest {
					known = max(known, w.End)
				}
			}
			out = append(out, a.Result(r, now)...)
			if op > 250 {
				more, _ := a.UtteranceEnd(UtteranceEnd{LastWordEnd: r.End}, now)
				out = append(out, more...)
			}
			more, _ := a.Tick(now)
			out = append(out, more...)
		}
		out = append(out, a.Close(events.ByCallEnd, false)...)
		got := finalWords(checkUtterances(t, out))
		seen := map[string]bool{}
		for _, w := range got {
			if seen[w] {
				t.Errorf("got %s twice in %v", w, got)
			}
			seen[w] = true
		}
		for _, w := range must {
			if !seen[w] {
				t.Errorf("got %v, want %s in it", got, w)
			}
		}
	})
}
