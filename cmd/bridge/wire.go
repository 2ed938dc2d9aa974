package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/events"
	"aldeabridge/internal/call"
	"aldeabridge/internal/playback"
	"aldeabridge/internal/transcript"
	"aldeabridge/media"
)

// The rooms do not know each other. Here the words of one become the words of the next.

// recognizer opens recognizer streams for calls.
type recognizer struct{ client *aldea.Client }

func (r recognizer) Open(ctx context.Context, c events.Call, speaker events.Speaker) call.Transcriber {
	return transcriber{speaker: speaker, Stream: r.client.Open(ctx,
		slog.String("call_sid", c.ID), slog.String("stream_sid", c.StreamID), slog.String("speaker", string(speaker)))}
}

func (r recognizer) With(l call.Listening) (call.Recognizer, error) {
	var s aldea.Settings
	if l.Language != nil {
		s.Language = *l.Language
	}
	if l.Keywords != nil {
		s.Keywords = append([]string{}, *l.Keywords...)
	}
	if l.Endpointing != nil {
		s.Endpointing = strconv.FormatInt(l.Endpointing.Milliseconds(), 10)
	}
	client, err := r.client.Try(s)
	if err != nil {
		return nil, errors.New(listenNames.Replace(err.Error()))
	}
	return recognizer{client}, nil
}

// transcriber is a recognizer stream whose messages are what a call hears.
type transcriber struct {
	*aldea.Stream
	speaker events.Speaker
}

func (t transcriber) Next(ctx context.Context) (call.Heard, error) {
	m, err := t.Stream.Next(ctx)
	if err != nil {
		return call.Heard{}, err
	}
	switch m := m.(type) {
	case *aldea.Results:
		return call.Heard{Result: result(m)}, nil
	case *aldea.UtteranceEnd:
		return call.Heard{UtteranceEnd: &transcript.UtteranceEnd{LastWordEnd: m.LastWordEnd}}, nil
	case *aldea.SpeechStarted:
		return call.Heard{SpeechStarted: &call.SpeechStarted{At: m.Timestamp}}, nil
	case *aldea.Degraded:
		return call.Heard{Event: events.RecognizerDegraded{
			Speaker: t.speaker, Since: m.Since, Cause: events.Cause(m.Cause), Down: m.Down, Backlog: events.Offset(m.Backlog),
		}}, nil
	case *aldea.Recovered:
		return call.Heard{Event: events.RecognizerRecovered{
			Speaker: t.speaker, Since: m.Since, Cause: events.Cause(m.Cause), Backlog: events.Offset(m.Backlog),
		}}, nil
	case *aldea.Gap:
		return call.Heard{Event: events.AudioGap{
			Speaker: t.speaker, From: events.Offset(m.From), To: events.Offset(m.To), Cause: events.Cause(m.Cause),
		}}, nil
	case *aldea.Refused:
		reason := listenNames.Replace(m.Err.Error())
		return call.Heard{Refused: fmt.Errorf("the recognizer refuses this, so the settings before it go on: %s", reason)}, nil
	}
	return call.Heard{}, nil
}

// listenNames is what senders of actions call the fields of aldea.Config.
var listenNames = strings.NewReplacer(
	"aldea: ", "", "Config.Languages", "ALDEA_LANGUAGES", "Config.Language: ", `field "language": `, "Config.Keywords: ", `field "keywords": `,
	"Config.Endpointing: ", `field "endpointing_ms": `,
)

// behindAfter is how much audio may wait to be sent before the recognizer counts as behind: several chunks.
const behindAfter = 500 * time.Millisecond

func (t transcriber) Behind(since time.Time) bool {
	s := t.Stats()
	return !s.Connected || s.Backlog > behindAfter || s.Received.Before(since)
}

func result(m *aldea.Results) *transcript.Result {
	r := &transcript.Result{
		Text:        m.Transcript,
		Confidence:  m.Confidence,
		Start:       m.Start,
		End:         m.End,
		Final:       m.IsFinal,
		SpeechFinal: m.SpeechFinal,
	}
	if len(m.Words) > 0 {
		r.Words = make([]transcript.Word, len(m.Words))
		for i, w := range m.Words {
			r.Words[i] = transcript.Word(w)
		}
	}
	return r
}

// serveCall runs one call on a media stream, in the stream's own goroutine. ctx ends the stream; recognition
// goes on until the last words are heard, or until calling ends.
func serveCall(ctx, calling context.Context, calls *call.Calls, stream *media.Stream) {
	c := startCall(calling, calls, stream)
	reason := media.EndInternal
	defer func() { endCall(c, reason, stream) }() // also after a panic, which the media server recovers and logs
	reason = stream.Receive(ctx, receiver{c})
}

// startCall begins the call that a stream is of.
func startCall(calling context.Context, calls *call.Calls, stream *media.Stream) *call.Call {
	start := stream.Start()
	var tracks []events.Speaker
	for _, t := range start.Tracks {
		tracks = append(tracks, speaker(t))
	}
	return calls.Start(calling, call.Stream{
		Call: events.Call{
			ID:        start.CallSID,
			StreamID:  start.StreamSID,
			Carrier:   "twilio",
			From:      start.From,
			To:        start.To,
			Direction: events.Direction(start.Direction),
			Params:    start.Params,
		},
		Media: events.MediaFormat{
			Encoding:   start.Format.Encoding,
			SampleRate: start.Format.SampleRate,
			Channels:   start.Format.Channels,
		},
		Tracks: tracks,
		Line:   line(stream),
		HangUp: stream.HangUp,
		Abort:  stream.Abort,
	})
}

// endCall ends the call of a stream that has ended.
func endCall(c *call.Call, reason media.EndReason, stream *media.Stream) {
	s := stream.Stats()
	c.End(events.EndReason(reason), events.Counts{
		Frames:          s.Frames,
		FramesLate:      s.Late,
		FramesDuplicate: s.Duplicate,
		FramesBad:       s.Bad,
		MessagesSkipped: s.Skipped,
		DTMFDropped:     s.Keys,
		Silence:         s.Silence.Milliseconds(),
	})
}

// line returns what carries audio to the caller. A stream with an outbound track is one that listens to a call that
// others lead (<Start><Stream>): the carrier plays nothing that is sent there.
func line(stream *media.Stream) playback.Line {
	if slices.Contains(stream.Start().Tracks, media.TrackOutbound) {
		return nil
	}
	return stream
}

// speaker is who is heard on a carrier's track.
func speaker(t media.Track) events.Speaker {
	if t == media.TrackOutbound {
		return events.Agent
	}
	return events.Caller
}

// receiver feeds a call from a media stream.
type receiver struct{ call *call.Call }

func (r receiver) Audio(t media.Track, mulaw []byte)   { r.call.Audio(speaker(t), mulaw) }
func (r receiver) DTMF(digit string, at time.Duration) { r.call.DTMF(digit, at) }
func (r receiver) Mark(name string)                    { r.call.Mark(name) }
