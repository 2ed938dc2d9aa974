package transcript

import (
	"strconv"
	"time"

	"aldeabridge/events"
)

// show publishes the current utterance as it is now, if its text has changed.
func (a *Assembler) show() []events.Body {
	text := join(a.open.text, a.pending.text)
	news := text != "" && text != a.shown
	a.shown = text
	if !news {
		return nil
	}
	body := events.TranscriptInterim{Speaker: a.opts.Speaker, Utterance: a.id(), Text: text}
	start, end := a.open.start, a.open.end
	if a.pending.text != "" {
		from, to := a.pending.spoken()
		if a.open.empty() {
			start = from
		}
		end = max(end, to)
	}
	body.Start, body.End = events.Offset(start), events.Offset(end)
	return []events.Body{body}
}

// emit ends the current utterance. An empty one gives no event; it only ends the wait for a final.
func (a *Assembler) emit(by events.EndedBy, confirmed bool) []events.Body {
	a.ending, a.asked = -1, time.Time{}
	if a.open.empty() {
		return nil
	}
	u := events.Utterance{
		ID:         a.id(),
		Speaker:    a.opts.Speaker,
		Text:       a.open.text,
		Confidence: a.open.meanConfidence(),
		Language:   a.opts.Language,
		Start:      events.Offset(a.open.start),
		End:        events.Offset(a.open.end),
		Words:      a.open.words,
		EndedBy:    by,
		Confirmed:  confirmed,
	}
	if u.Words == nil {
		u.Words = []events.Word{} // an empty list in JSON, not null
	}
	a.count++
	a.emitted = a.open.end
	a.open = utterance{}
	a.shown = ""
	return []events.Body{events.UtteranceFinal{Utterance: u}}
}

// id is the id of the current utterance, known before it has any text.
func (a *Assembler) id() string { return a.opts.Prefix + "-" + strconv.Itoa(a.count+1) }
