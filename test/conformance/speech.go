package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
	"aldeabridge/events"
	"aldeabridge/internal/transcript"
)

// tolerance is how far a time may be from the truth.
const tolerance = 50 * time.Millisecond

// A word is a word and its place on the source time line.
type word = transcript.Word

// A speech is audio with its words.
type speech struct {
	audio []byte
	words []word // nil if unknown
}

// speak returns speech of about the given length, with pauses. Words begin with tag.
func (b *bench) speak(tag string, length time.Duration) speech {
	if b.target.service {
		n := int(length / (time.Second / 8000))
		return speech{audio: bytes.Repeat(b.target.audio, n/len(b.target.audio)+1)[:n]}
	}
	var lines []string
	for n := 0; time.Duration(n)*500*time.Millisecond < length; n += 3 { // three words and a pause take 1.5 seconds
		lines = append(lines, fmt.Sprintf("%s%02d %s%02d %s%02d", tag, n, tag, n+1, tag, n+2))
	}
	return tones(lines, 600*time.Millisecond)
}

// tones is lines with a pause behind each.
func tones(lines []string, pause time.Duration) speech {
	samples := marker.EncodeUtterances(lines, pause)
	s := speech{audio: make([]byte, len(samples))}
	codec.EncodeMuLaw(s.audio, samples)
	for _, m := range marker.Decode(samples, marker.SampleRate) {
		at := func(n int64) time.Duration { return time.Duration(n) * time.Second / marker.SampleRate }
		s.words = append(s.words, word{Text: m.Word, Start: at(m.Start), End: at(m.End)})
	}
	return s
}

// text returns the words as one line.
func (s speech) text() string {
	var texts []string
	for _, w := range s.words {
		texts = append(texts, w.Text)
	}
	return strings.Join(texts, " ")
}

// length is how long the speech is.
func (s speech) length() time.Duration { return time.Duration(len(s.audio)) * time.Second / 8000 }

// A step is something that happens when the speech has come so far.
type step struct {
	at time.Duration
	do func()
}

// A heard is what a conversation brought.
type heard struct {
	utterances []events.Utterance
	gaps       []aldea.Gap
	finals     []aldea.Results
	metadata   int
	err        error // from Next, at the end
	stats      aldea.Stats
}

// converse says s to a new stream of client in real time, takes steps on the way, and returns what was heard.
func (b *bench) converse(client *aldea.Client, s speech, steps ...step) heard {
	stream := client.Open(context.Background())
	defer func() { _ = stream.Close() }()
	done := make(chan heard, 1)
	go func() { done <- hear(stream) }()
	const frame = 160
	next := time.Now()
	for at := 0; at < len(s.audio); at += frame {
		for len(steps) > 0 && steps[0].at <= time.Duration(at)*time.Second/8000 {
			before := time.Now()
			steps[0].do()
			next = next.Add(time.Since(before)) // a step that takes time is a pause in the audio
			steps = steps[1:]
		}
		stream.Write(s.audio[at:min(at+frame, len(s.audio))])
		next = next.Add(20 * time.Millisecond)
		time.Sleep(time.Until(next))
	}
	stream.CloseSend()
	h := <-done
	h.stats = stream.Stats()
	return h
}

// hear reads a stream to its end.
func hear(stream *aldea.Stream) heard {
	var h heard
	assembler := transcript.New(transcript.Options{Prefix: "u"})
	keep := func(bodies []events.Body) {
		for _, body := range bodies {
			if u, ok := body.(events.UtteranceFinal); ok {
				h.utterances = append(h.utterances, u.Utterance)
			}
		}
	}
	var written time.Duration // when the last message came
	for {
		m, err := next(stream, assembler)
		now := time.Now()
		if err == nil {
			written = stream.Stats().Written
		}
		switch m := m.(type) {
		case *aldea.Results:
			if m.IsFinal {
				h.finals = append(h.finals, *m)
			}
			keep(assembler.Result(result(m), now))
		case *aldea.UtteranceEnd:
			bodies, finalize := assembler.UtteranceEnd(transcript.UtteranceEnd{LastWordEnd: m.LastWordEnd}, now)
			keep(bodies)
			if finalize {
				stream.Finalize()
			}
		case *aldea.Gap:
			h.gaps = append(h.gaps, *m)
		case *aldea.Metadata:
			h.metadata++
		}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			stats := stream.Stats()
			flows := stats.Written-written >= time.Second
			if flows && stats.Connected && stats.Backlog < time.Second && !stats.Received.Before(assembler.Asked()) {
				bodies, finalize := assembler.Tick(now)
				keep(bodies)
				if finalize {
					stream.FinalizeOnce()
				}
			} else {
				assembler.Resume(now)
			}
		case err != nil:
			keep(assembler.Close(events.ByCallEnd, errors.Is(err, io.EOF)))
			h.err = err
			return h
		}
	}
}

// next is the stream's next message, or context.DeadlineExceeded when the assembler wants to be asked first.
func next(stream *aldea.Stream, assembler *transcript.Assembler) (aldea.Message, error) {
	ctx := context.Background()
	if deadline, ok := assembler.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	return stream.Next(ctx)
}

func result(m *aldea.Results) transcript.Result {
	r := transcript.Result{Text: m.Transcript, Confidence: m.Confidence, Start: m.Start, End: m.End, Final: m.IsFinal, SpeechFinal: m.SpeechFinal}
	for _, w := range m.Words {
		r.Words = append(r.Words, word(w))
	}
	return r
}
