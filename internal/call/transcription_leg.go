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

// leg is a stretch of one speaker's audio with its own Transcriber and transcript.
type leg struct {
	call        *Call
	speaker     events.Speaker
	transcriber Transcriber
	logger      *slog.Logger
	base        time.Duration // its beginning, from the beginning of the call
	done        chan struct{} // closed when the last result is queued

	mu        sync.Mutex // guards what follows, and the order of its events in the queue
	as        *recognition
	assembler *transcript.Assembler
	timer     *time.Timer    // runs tick at the assembler's deadline
	end       time.Duration  // end of its audio, from the beginning of the call; negative until the audio ends
	endedBy   events.EndedBy // why the audio ended
}

// endSlack is the tolerance within which a result ends at the end of the audio: recognizers have their own frame length.
const endSlack = 100 * time.Millisecond

// startLeg begins to transcribe a speaker at base, from the beginning of the call. Each prefix of utterance ids must be used
// only once.
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
	go l.readResults(c.ctx)
	return l
}

// closeSend ends the audio at end. by is the reason.
func (l *leg) closeSend(end time.Duration, by events.EndedBy) {
	l.mu.Lock()
	l.end, l.endedBy = end, by
	l.timer.Stop()
	l.mu.Unlock()
	l.transcriber.CloseSend()
}

// readResults reads the transcriber until its last result, then ends the transcript.
func (l *leg) readResults(ctx context.Context) {
	defer close(l.done)
	defer l.call.recovered()
	var err error
	for err == nil {
		var h Heard
		if h, err = l.transcriber.Next(ctx); err == nil {
			l.handle(h)
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

// handle adds one message of the transcriber to the transcript, and emits the events that result.
func (l *leg) handle(h Heard) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case h.Result != nil:
		r := l.shift(*h.Result)
		if l.speaker == events.Caller && r.Text != "" {
			l.call.confirmSpeech(r.Text, r.Start)
		}
		if r.SpeechFinal && l.end >= 0 && r.End >= l.end-endSlack {
			// The recognizer reports the end of the audio as the end of the utterance, but the speaker may not have
			// finished.
			r.Final, r.SpeechFinal = true, false
		}
		l.emit(l.assembler.Result(r, now))
	case h.UtteranceEnd != nil:
		end := *h.UtteranceEnd
		if end.LastWordEnd >= 0 {
			end.LastWordEnd += l.base
		}
		if last := end.LastWordEnd; l.end >= 0 && (last < 0 || last > l.end-l.as.timeout) {
			break // likewise: there was no silence after the last word, only the end of the audio
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

// usesRecognition reports whether r is the leg's current recognition.
func (l *leg) usesRecognition(r *recognition) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.as == r
}

// shift makes a result's times count from the beginning of the call.
func (l *leg) shift(r transcript.Result) transcript.Result {
	r.Start, r.End = r.Start+l.base, r.End+l.base
	for i := range r.Words {
		w := &r.Words[i]
		w.Start, w.End = w.Start+l.base, w.End+l.base
	}
	return r
}

// tick runs at the assembler's deadline: it ends an utterance for which the recognizer has sent no end.
func (l *leg) tick() {
	defer l.call.recovered()
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end >= 0 {
		return // the timer fired just before the end
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

// arm sets the timer to the assembler's deadline. After the end of the audio, the end of the results ends an utterance
// instead. The caller holds mu.
func (l *leg) arm(now time.Time) {
	if deadline, ok := l.assembler.Deadline(); ok && l.end < 0 {
		l.timer.Reset(deadline.Sub(now))
	} else {
		l.timer.Stop()
	}
}

// emit queues events. The caller holds mu, which keeps them in order.
func (l *leg) emit(bodies []events.Body) {
	now := time.Now()
	for _, b := range bodies {
		l.call.put(now, b)
	}
}

// length returns the duration of n samples of telephone audio.
func length(n int64) time.Duration { return time.Duration(n) * (time.Second / 8000) }
