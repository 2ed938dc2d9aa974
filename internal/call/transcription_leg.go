package call

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/transcript"
)

// A leg is a stretch of one speaker's time line: a transcriber, and the transcript that its results become.
type leg struct {
	call        *Call
	speaker     events.Speaker
	transcriber Transcriber
	logger      *slog.Logger
	base        time.Duration // where it begins on the call's time line
	done        chan struct{} // closed when the last word is in the queue

	mu        sync.Mutex // guards what follows, and the order of its events in the queue
	as        *recognition
	assembler *transcript.Assembler
	timer     *time.Timer    // runs tick at the assembler's deadline
	end       time.Duration  // of its audio, on the call's time line, once there is no more; negative before
	endedBy   events.EndedBy // why there is no more
}

// endSlack is how far before the end of the audio a result may end and still be one that the end caused:
// recognizers count in frames of their own.
const endSlack = 100 * time.Millisecond

// startLeg begins to transcribe a speaker from a place on the call's time line on. The prefix of its utterances'
// ids must be used once.
func (c *Call) startLeg(as *recognition, speaker events.Speaker, base time.Duration, prefix string) *leg {
	l := &leg{
		call:        c,
		speaker:     speaker,
		transcriber: as.recognizer.Open(c.ctx, c.info, speaker),
		logger:      c.logger.With("speaker", speaker),
		base:        base,
		done:        make(chan struct{}),
		assembler: transcript.New(transcript.Options{
			Prefix:   prefix,
			Speaker:  speaker,
			Language: as.language,
			Timeout:  as.timeout,
		}),
		as:  as,
		end: -1,
	}
	l.timer = time.AfterFunc(time.Hour, l.tick)
	l.timer.Stop()
	go l.listen(c.ctx)
	return l
}

// closeSend says that there is no more audio after end, and why.
func (l *leg) closeSend(end time.Duration, by events.EndedBy) {
	l.mu.Lock()
	l.end, l.endedBy = end, by
	l.timer.Stop()
	l.mu.Unlock()
	l.transcriber.CloseSend()
}

// listen reads the transcriber until its last word, then ends the transcript.
func (l *leg) listen(ctx context.Context) {
	defer close(l.done)
	defer l.call.recovered()
	var err error
	for err == nil {
		var h Heard
		if h, err = l.transcriber.Next(ctx); err == nil {
			l.hear(h)
		}
	}
	if cerr := l.transcriber.Close(); cerr != nil {
		l.logger.Debug("recognizer close", "err", cerr)
	}
	confirmed := errors.Is(err, io.EOF)
	if !confirmed {
		l.logger.Error("recognizer failed: the rest of this speaker is not transcribed", "err", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer.Stop()
	l.emit(l.assembler.Close(cmp.Or(l.endedBy, events.ByCallEnd), confirmed))
}

// hear takes one thing from the transcriber into the transcript.
func (l *leg) hear(h Heard) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case h.Result != nil:
		r := l.place(*h.Result)
		if l.speaker == events.Caller && r.Text != "" {
			l.call.understood(r.Text, r.Start)
		}
		if r.SpeechFinal && l.end >= 0 && r.End >= l.end-endSlack {
			// The recognizer was told that the audio is over, and calls that the end of an utterance. It was
			// we who ended it.
			r.Final, r.SpeechFinal = true, false
		}
		l.emit(l.assembler.Result(r, now))
	case h.UtteranceEnd != nil:
		end := *h.UtteranceEnd
		if end.LastWordEnd >= 0 {
			end.LastWordEnd += l.base
		}
		if last := end.LastWordEnd; l.end >= 0 && (last < 0 || last > l.end-l.as.timeout) {
			break // the same: there was no silence behind the last word, only the end
		}
		bodies, finalize := l.assembler.UtteranceEnd(end, now)
		l.emit(bodies)
		if finalize {
			l.transcriber.Finalize()
		}
	case h.SpeechStarted != nil:
		l.call.put(now, events.SpeechStarted{Speaker: l.speaker, At: events.Offset(l.base + h.SpeechStarted.At)})
	case h.Event != nil:
		if gap, ok := h.Event.(events.AudioGap); ok {
			gap.From, gap.To = gap.From+events.Offset(l.base), gap.To+events.Offset(l.base)
			h.Event = gap
		}
		l.call.put(now, h.Event)
	case h.Refused != nil && l.as.before != nil:
		refused := l.as
		l.as = refused.before
		l.assembler.Change(l.as.language, l.as.timeout)
		l.call.refuse(refused, h.Refused)
	}
	l.arm(now)
}

// listensAs reports whether the speaker is recognized that way.
func (l *leg) listensAs(r *recognition) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.as == r
}

// place puts a result on the call's time line.
func (l *leg) place(r transcript.Result) transcript.Result {
	r.Start, r.End = r.Start+l.base, r.End+l.base
	for i := range r.Words {
		w := &r.Words[i]
		w.Start, w.End = w.Start+l.base, w.End+l.base
	}
	return r
}

// tick ends an utterance about which the recognizer fell silent.
func (l *leg) tick() {
	defer l.call.recovered()
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end >= 0 {
		return // it fired just before the end
	}
	if l.transcriber.Behind(l.assembler.Asked()) {
		l.assembler.Resume(now)
	} else {
		bodies, finalize := l.assembler.Tick(now)
		l.emit(bodies)
		if finalize {
			l.transcriber.FinalizeOnce()
		}
	}
	l.arm(now)
}

// arm sets the timer to the assembler's deadline. At the end of the audio it is the end of the results that
// ends an utterance. The caller holds mu.
func (l *leg) arm(now time.Time) {
	if deadline, ok := l.assembler.Deadline(); ok && l.end < 0 {
		l.timer.Reset(deadline.Sub(now))
	} else {
		l.timer.Stop()
	}
}

// emit queues events. The caller holds mu, so that they leave in the order they were made.
func (l *leg) emit(bodies []events.Body) {
	now := time.Now()
	for _, b := range bodies {
		l.call.put(now, b)
	}
}

// length is how long n samples of telephone audio last.
func length(n int64) time.Duration { return time.Duration(n) * (time.Second / 8000) }
