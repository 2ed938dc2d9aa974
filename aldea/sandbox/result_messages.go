package sandbox

import (
	"math/rand/v2"
	"strings"
	"time"
)

// hugeMessage is the length of the message that Fault.Huge makes, in bytes.
const hugeMessage = 200_000

// Messages that clients must ignore.
const (
	strangeMessage = `{"type":"Weather","channel":"sunny","start":"noon","is_final":[true],"forecast":{"rain":0.1}}`
	brokenMessage  = `{"type":"Results","channel_index":[0],"is_final":true,"channel":{"alternatives":[{"transc`
)

// A resultWriter converts results to messages, including the ones that faults add.
type resultWriter struct {
	encoder *encoder
	fault   *Fault     // the worker's: Heal changes it
	random  *rand.Rand // for Fault.Mixed

	last result // the last final before faults changed it
	huge bool   // the huge message was sent
}

// tell returns the messages for a result, in order.
func (t *resultWriter) messages(r result) []string {
	if !r.final {
		return []string{t.encoder.results(r)}
	}
	var all []string
	if t.fault.UnknownType {
		all = append(all, strangeMessage)
	}
	if t.fault.InvalidJSON {
		all = append(all, brokenMessage)
	}
	found := r
	r = t.overlap(r)
	t.last = found
	for i, r := range t.steps(r) {
		m := t.encoder.results(r)
		if t.fault.Huge && !t.huge {
			t.huge = true
			m = pad(m)
		}
		if all = append(all, m); t.fault.Duplicate && i == 0 {
			all = append(all, m)
		}
	}
	if t.fault.LateInterim {
		late := r
		late.final, late.speech = false, false
		all = append(all, t.encoder.results(late))
	}
	return all
}

// steps returns the results that carry a final and, possibly in a separate one, the end of the utterance.
func (t *resultWriter) steps(r result) []result {
	if !r.speech {
		return []result{r}
	}
	text, end := r, r
	text.speech = false
	switch t.speechFinal() {
	case SpeechFinalEmpty:
		end.start, end.words = r.end, nil
		return []result{text, end}
	case SpeechFinalRepeated:
		return []result{text, end}
	case SpeechFinalNever:
		return []result{text}
	}
	return []result{r}
}

// speechFinal returns how the end of this utterance is signaled. Mixed never omits it: that would join utterances.
func (t *resultWriter) speechFinal() SpeechFinal {
	if t.fault.Mixed && t.fault.SpeechFinal == SpeechFinalProfile {
		return pick(t.random, SpeechFinalSame, SpeechFinalEmpty, SpeechFinalRepeated)
	}
	return t.fault.SpeechFinal
}

// overlap moves the start of a final before the end of the last one.
func (t *resultWriter) overlap(r result) result {
	if t.fault.Overlap <= 0 || !t.last.final || t.last.end != r.start {
		return r
	}
	r.start = max(t.last.start, r.start-t.fault.Overlap)
	var again []Word
	for _, w := range t.last.words {
		if w.Start >= r.start {
			again = append(again, w)
		}
	}
	r.words = append(again, r.words...)
	return r
}

// pad makes a message huge.
func pad(message string) string {
	const name = `{"padding":"`
	return name + strings.Repeat("x", max(0, hugeMessage-len(name)-len(message)-1)) + `",` + message[1:]
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// The worker implements listener for its segmenter.

func (w *worker) result(r result) {
	for _, m := range w.resultWriter.messages(r) {
		w.send(m)
	}
}
func (w *worker) speechStarted(at time.Duration)      { w.send(w.encoder.speechStarted(at)) }
func (w *worker) utteranceEnd(lastWord time.Duration) { w.send(w.encoder.utteranceEnd(lastWord)) }
