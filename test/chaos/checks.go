package calltest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
)

// Tolerance is how far a time may be from the truth.
const Tolerance = 50 * time.Millisecond

// speakerOf returns the speaker of a carrier's track.
func speakerOf(t mediatest.Track) events.Speaker {
	if t == mediatest.Outbound {
		return events.Agent
	}
	return events.Caller
}

// check compares the events at the webhook with the words that were said. Each finding is a sentence.
func (w *simulation) check() []string {
	var findings []string
	find := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	if w.late != nil {
		find("not every call.ended came within %v of the last call: %v", patience, w.late)
	}
	if err := w.webhook.Report().Err(); err != nil {
		find("webhooks: %v", err)
	}
	got := map[string][]events.Event{}
	for _, r := range w.webhook.Delivered() {
		var e events.Event
		if err := json.Unmarshal(r.Body, &e); err != nil {
			find("a webhook cannot be read: %v", err)
			continue
		}
		got[e.Call.ID] = append(got[e.Call.ID], e)
	}
	for i := range w.schedule.Calls {
		c := &w.schedule.Calls[i]
		if err := w.results[i].err; err != nil {
			find("%s: the carrier: %v", c.SID, err)
		} else if w.results[i].ByServer {
			find("%s: the bridge hung up (close %d %s)", c.SID, w.results[i].CloseCode, w.results[i].CloseReason)
		}
		if late := w.results[i].late; late > w.patience+Tolerance {
			find("%s: the bridge did not read for %v", c.SID, late)
		}
		j := callChecker{world: w, call: c, events: got[c.SID], find: func(format string, args ...any) {
			find("%s: %s", c.SID, fmt.Sprintf(format, args...))
		}}
		j.check()
		delete(got, c.SID)
	}
	for sid := range got {
		find("%s: events of a call that nobody made", sid)
	}
	w.tally.count(func(n *Counts) {
		n.Worlds++
		n.Calls += len(w.schedule.Calls)
		n.Webhooks += w.webhook.Report().Requests
		n.PeakDials = peak(w.recognizer.dials)
		n.Findings = len(findings)
	})
	return findings
}

// peak is the most of times within any second.
func peak(times []time.Duration) int {
	slices.Sort(times)
	most, from := 0, 0
	for i, t := range times {
		for times[from] <= t-time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// A callChecker checks the events of one call.
type callChecker struct {
	world  *simulation
	call   *Call
	events []events.Event
	stood  time.Duration // silence that the bridge put in while the machine, in real time, stood still
	find   func(format string, args ...any)
}

func (j *callChecker) check() {
	if len(j.events) == 0 {
		j.find("no events")
		return
	}
	j.frame()
	j.digits()
	for i := range j.call.Legs {
		j.leg(&j.call.Legs[i])
	}
}

// frame checks that the call begins and ends as it should.
func (j *callChecker) frame() {
	if t := j.events[0].Body.Type(); t != events.TypeCallStarted {
		j.find("its first event is %s", t)
	}
	ends := 0
	var said []string
	for i, e := range j.events {
		if e.Sequence != int64(i+1) {
			j.find("event %d has the sequence %d", i+1, e.Sequence)
		}
		switch b := e.Body.(type) {
		case events.UtteranceFinal:
			said = append(said, b.Utterance.Text)
		case events.CallEnded:
			ends++
			j.ended(b, said)
		}
	}
	if last := j.events[len(j.events)-1].Body.Type(); ends != 1 || last != events.TypeCallEnded {
		j.find("call.ended came %d times, and last is %s", ends, last)
	}
}

// ended checks that call.ended tells the same story as the utterances.
func (j *callChecker) ended(b events.CallEnded, said []string) {
	var lines []string
	for _, l := range b.Transcript {
		lines = append(lines, l.Text)
	}
	slices.Sort(lines)
	if slices.Sort(said); !slices.Equal(lines, said) {
		j.find("call.ended holds %q, the utterances were %q", lines, said)
	}
	if silence := time.Duration(b.Counts.Silence) * time.Millisecond; j.world.patience > 0 {
		j.stood = silence
	} else if silence > 0 {
		j.find("%v of silence was put in, although every frame came", silence)
	}
	want := events.EndStop
	if j.call.HangUp != mediatest.Stop {
		want = events.EndClosed
	}
	if b.Reason != want {
		j.find("ended by %s instead of %s", b.Reason, want)
	}
}

func (j *callChecker) digits() {
	var pressed, got strings.Builder
	for _, d := range j.call.Digits {
		pressed.WriteString(d.Digit)
	}
	for _, e := range j.events {
		if d, ok := e.Body.(events.DTMFReceived); ok {
			got.WriteString(d.Digit)
		}
	}
	if got.String() != pressed.String() {
		j.find("keys %q came, %q were pressed", got.String(), pressed.String())
	}
}

// leg checks one speaker's words, gaps and troubles.
func (j *callChecker) leg(l *Leg) {
	heard, gaps := j.heard(l.Speaker)
	j.words(l, heard, gaps)
	j.gaps(l, gaps)
	j.troubles(l)
	connections := 0
	if known := j.world.recognizer.legs[legKey{j.call.SID, l.Speaker}]; known != nil {
		connections = len(known.answered)
		if known.frozen > 0 {
			j.find("%s: that its connection was half open from %v on was not noticed", l.Speaker, known.frozen)
		} else if known.noticed > Noticed {
			j.find("%s: that its connection was half open was noticed after %v", l.Speaker, known.noticed)
		}
	}
	j.world.tally.count(func(n *Counts) {
		n.Time += l.Length()
		n.Said += len(l.Words)
		n.Heard += len(heard)
		n.Gaps += len(gaps)
		n.Connections += connections
	})
}

// heard returns what a speaker said according to the events. Words without times have a negative Start and End: a
// recognizer that does not tell them cannot be asked.
func (j *callChecker) heard(speaker events.Speaker) (heard []Word, gaps []Span) {
	for _, e := range j.events {
		switch b := e.Body.(type) {
		case events.UtteranceFinal:
			u := b.Utterance
			if u.Speaker != speaker {
				continue
			}
			if !u.Confirmed {
				j.find("%s: %q is not confirmed", speaker, u.Text)
			}
			heard = append(heard, j.utterance(u)...)
		case events.AudioGap:
			if b.Speaker == speaker {
				gaps = append(gaps, Span{time.Duration(b.From), time.Duration(b.To)})
			}
		}
	}
	return heard, gaps
}

// utterance returns the words of an utterance.
func (j *callChecker) utterance(u events.Utterance) []Word {
	texts := strings.Fields(u.Text)
	words := make([]Word, len(texts))
	for i, text := range texts {
		words[i] = Word{Text: text, Start: -1, End: -1}
		if len(u.Words) == len(texts) {
			words[i].Start, words[i].End = time.Duration(u.Words[i].Start), time.Duration(u.Words[i].End)
			if u.Words[i].Text != text {
				j.find("%s: the text %q and the words %v differ", u.Speaker, u.Text, u.Words)
			}
		}
	}
	return words
}

// words checks that each word was heard once, in order and at its time, gaps excepted.
func (j *callChecker) words(l *Leg, heard []Word, gaps []Span) {
	missing := 0
	i, k := 0, 0
	for i < len(l.Words) || k < len(heard) {
		switch {
		case i < len(l.Words) && k < len(heard) && l.Words[i].Text == heard[k].Text:
			j.time(l, l.Words[i], heard[k])
			if j.covered(gaps, l.Words[i]) {
				j.find("%s: %q was heard although it lies inside a gap", l.Speaker, l.Words[i].Text)
			}
			i++
			k++
		case i < len(l.Words) && j.touched(gaps, l.Words[i]):
			missing++
			i++
		case i < len(l.Words) && k < len(heard) && heard[k].Text == marker.Damage && j.stood > 0:
			i++ // silence in the middle of the word
			k++
		case k < len(heard) && heard[k].Text == marker.Damage && i > 0 && j.touched(gaps, l.Words[i-1]):
			k++ // the rest of a word that the gap cut
		default:
			j.find("%s: %s\n        said  %s\n        heard %s", l.Speaker, verdict(l.Words, heard, i, k), around(l.Words, i), around(heard, k))
			return // the rest would only be noise
		}
	}
	j.world.tally.count(func(n *Counts) { n.Missing += missing })
}

// verdict says what is wrong where said and heard part.
func verdict(said, heard []Word, i, k int) string {
	switch {
	case k < len(heard) && slices.ContainsFunc(heard[:k], func(w Word) bool { return w.Text == heard[k].Text && w.Text != marker.Damage }):
		return fmt.Sprintf("%q was heard twice", heard[k].Text)
	case i < len(said) && slices.ContainsFunc(heard[k:], func(w Word) bool { return w.Text == said[i].Text }):
		return fmt.Sprintf("%q came where %q should be", heard[k].Text, said[i].Text)
	case i < len(said):
		return fmt.Sprintf("%q, said at %v, was lost", said[i].Text, said[i].Start)
	default:
		return fmt.Sprintf("%q was heard, and nobody said it", heard[k].Text)
	}
}

// around is the words near i.
func around(words []Word, i int) string {
	var texts []string
	for n := max(0, i-3); n < min(len(words), i+4); n++ {
		text := fmt.Sprintf("%s@%.2f", words[n].Text, words[n].Start.Seconds())
		if n == i {
			text = "[" + text + "]"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// time checks when a word was heard. The network may have delayed it by its stalls. Times that count from the start
// of a result look just like others in a connection's first results, and cannot be held to anything.
func (j *callChecker) time(l *Leg, said, heard Word) {
	if j.world.schedule.Recognizer.Fault.Words == sandbox.WordsRelative {
		return
	}
	late := Tolerance + j.stood
	for _, s := range j.call.Stalls {
		late += s.To - s.From
	}
	if heard.Start >= 0 && (heard.Start < said.Start-Tolerance || heard.Start > said.Start+late) {
		j.find("%s: %q began at %v, not at %v", l.Speaker, said.Text, heard.Start, said.Start)
	}
	if heard.End >= 0 && (heard.End < said.End-Tolerance || heard.End > said.End+late) {
		j.find("%s: %q ended at %v, not at %v", l.Speaker, said.Text, heard.End, said.End)
	}
}

// covered reports whether all of a word lies in a gap, touched whether some of it does.
func (j *callChecker) covered(gaps []Span, w Word) bool {
	return slices.ContainsFunc(gaps, func(g Span) bool { return w.Start >= g.From+Tolerance && w.End+j.stood <= g.To-Tolerance })
}

func (j *callChecker) touched(gaps []Span, w Word) bool {
	return slices.ContainsFunc(gaps, func(g Span) bool { return w.End+j.stood > g.From-Tolerance && w.Start < g.To+Tolerance })
}

// gaps checks that there is a gap exactly where the audio that had to wait did not fit the buffer.
func (j *callChecker) gaps(l *Leg, gaps []Span) {
	want, ok := j.expected(l)
	switch {
	case !ok && len(gaps) == 0:
	case !ok:
		j.find("%s: gaps %v, although all that had to wait fits the buffer", l.Speaker, gaps)
	case len(gaps) > 1 && j.stood > 0: // sending stood still, too, and the buffer was full
	case len(gaps) != 1:
		j.find("%s: gaps %v; want one that ends at %v", l.Speaker, gaps, want)
	case gaps[0].To < want-Tolerance-j.world.patience || gaps[0].To > want+Tolerance+j.world.patience:
		j.find("%s: gap %v; want it to end at %v", l.Speaker, gaps[0], want)
	}
}

// expected is where a gap should end, if there should be one: the buffer's length before the first connection after
// an outage that is longer than that.
func (j *callChecker) expected(l *Leg) (end time.Duration, ok bool) {
	known := j.world.recognizer.legs[legKey{j.call.SID, l.Speaker}]
	if known == nil || j.world.schedule.Buffer == 0 {
		return 0, false
	}
	for _, o := range l.Outages {
		if o.To-o.From < j.world.schedule.Buffer {
			continue
		}
		for _, t := range known.answered {
			if t > o.From {
				return min(t, j.call.Length()) - j.world.schedule.Buffer, true
			}
		}
	}
	return 0, false
}

// troubles checks that degraded and recovered come in turns.
func (j *callChecker) troubles(l *Leg) {
	in := false
	for _, e := range j.events {
		switch b := e.Body.(type) {
		case events.RecognizerDegraded:
			if b.Speaker == l.Speaker {
				in = true // again and worse is fine
			}
		case events.RecognizerRecovered:
			if b.Speaker != l.Speaker {
				continue
			}
			if !in {
				j.find("%s: recognizer.recovered without recognizer.degraded", l.Speaker)
			}
			in = false
		}
	}
}
