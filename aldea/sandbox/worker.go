package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// errDropped is the fault of that name at work.
var errDropped = errors.New("sandbox: connection dropped as planned")

// reasons of close frames, in Deepgram's words: clients look for the tokens at the end.
const (
	reasonIdle = "The server did not receive audio data or a text message within the timeout window. See net0001"
	tokenData  = " (data0000)"
	maxReason  = 123 // bytes in a control frame, less the code
)

// ending is how a worker ended: with a close code for the client, 1006 for a cut, or 0 if nobody is there to be told.
type ending struct {
	code   int
	reason string
	err    error
}

// A worker takes a stream's items in order, hears the audio and writes the messages. All its state belongs to
// its goroutine.
type worker struct {
	opts    *Options
	params  Params
	record  *record
	encoder encoder
	drop    time.Duration // cut after this much audio; zero never
	write   func(message string) error

	in        *input
	segmenter *segmenter // nil until the first sample: only then the rate is certain
	samples   int64
	writeErr  error
}

// run works until the stream ends.
func (w *worker) run(ctx context.Context, q *queue) ending {
	w.in = newInput(w.params, w.opts.FFmpeg, func(samples []int16, rate int) error { return w.hear(ctx, samples, rate) })
	defer w.close()
	if w.opts.Profile == ProfileAldea {
		w.send(w.encoder.metadata(0, ""))
	}
	for {
		var done bool
		var err error
		select {
		case <-ctx.Done():
			w.rest(q)
			return ending{}
		case <-q.ready:
			if it, ok := q.pop(); ok {
				done, err = w.take(ctx, it)
			}
		case samples, ok := <-w.in.Ready():
			if !ok {
				err = fmt.Errorf("%w: ffmpeg ended early", errUndecodable)
			} else {
				err = w.in.transcoded(samples)
			}
		}
		if w.writeErr != nil || ctx.Err() != nil {
			w.rest(q)
			return ending{}
		}
		if done || err != nil {
			return w.end(err)
		}
	}
}

// rest counts what was received but will not be heard any more.
func (w *worker) rest(q *queue) {
	for it, ok := q.pop(); ok; it, ok = q.pop() {
		if it.audio != nil {
			w.record.received(it.audio)
		}
	}
}

// close releases the recogniser and ffmpeg.
func (w *worker) close() {
	w.in.Close()
	if w.segmenter != nil {
		_ = w.segmenter.recognizer.Close() // the stream is over; there is nobody to tell
	}
}

// take does what one item asks for, and reports whether the stream is over.
func (w *worker) take(ctx context.Context, it item) (done bool, err error) {
	switch it.control {
	case noControl:
		w.record.received(it.audio)
		err = w.in.Write(ctx, it.audio)
		if w.in.Cuts(len(it.audio)) {
			w.record.update(func(c *Connection) { c.OddFrames++ })
		}
		return false, err
	case keepAlive:
		w.note("KeepAlive")
	case finalize:
		w.note("Finalize")
		return false, w.finalize(ctx)
	case closeStream:
		w.note("CloseStream")
		return true, w.closeStream(ctx)
	case emptyFrame:
		w.note("empty")
		w.record.update(func(c *Connection) { c.EmptyFrames++ })
		if w.opts.EmptyFrame == EmptyFrameEnd {
			return true, w.closeStream(ctx)
		}
	case badText:
		w.note("bad")
		w.record.update(func(c *Connection) { c.BadTexts++ })
		return w.badText(it.text)
	case idle:
		return true, errIdle
	}
	return false, nil
}

// errIdle means that the client was silent for too long.
var errIdle = errors.New("sandbox: client idle")

// errBadText means that the client's text frame ends the stream.
var errBadText = errors.New("sandbox: bad text frame")

func (w *worker) badText(description string) (done bool, err error) {
	switch w.opts.BadText {
	case BadTextError:
		w.send(w.encoder.failure("SchemaError", description))
	case BadTextClose:
		return true, fmt.Errorf("%w: %s", errBadText, description)
	}
	return false, nil
}

// hear takes decoded samples; the first ones decide the rate and open the recogniser.
func (w *worker) hear(ctx context.Context, samples []int16, rate int) error {
	if w.segmenter == nil {
		w.params.SampleRate = rate
		r, err := w.opts.Source.Open(ctx, w.params)
		if err != nil {
			return fmt.Errorf("open recogniser: %w", err)
		}
		w.segmenter = newSegmenter(w.opts, w.params, r, w)
	}
	cut := false
	if w.drop > 0 {
		left := samplesIn(w.drop, rate) - w.samples
		if cut = int64(len(samples)) >= left; cut {
			samples = samples[:left]
		}
	}
	w.samples += int64(len(samples))
	w.record.update(func(c *Connection) {
		c.SampleRate, c.Audio = rate, w.audio()
		if w.opts.KeepAudio {
			c.PCM = append(c.PCM, samples...)
		}
	})
	if err := w.segmenter.Write(samples); err != nil {
		return err
	}
	if cut {
		return errDropped
	}
	return nil
}

func (w *worker) finalize(ctx context.Context) error {
	if err := w.in.Flush(ctx); err != nil || w.segmenter == nil {
		return err
	}
	return w.segmenter.Finalize()
}

// closeStream hears what is left and says all there is to say.
func (w *worker) closeStream(ctx context.Context) error {
	if err := w.in.Finish(ctx); err != nil || w.segmenter == nil {
		return err
	}
	return w.segmenter.Close()
}

// end says goodbye: the closing Metadata, and the close code for what happened.
func (w *worker) end(err error) ending {
	if errors.Is(err, errDropped) {
		return ending{code: websocket.CloseAbnormalClosure}
	}
	if w.opts.ClosingMetadata {
		w.send(w.encoder.metadata(w.audio(), w.record.digest()))
	}
	switch {
	case err == nil:
		return ending{code: websocket.CloseNormalClosure}
	case errors.Is(err, errIdle):
		return ending{websocket.CloseInternalServerErr, reasonIdle, err}
	case errors.Is(err, errUndecodable):
		return ending{websocket.ClosePolicyViolation, clip(err.Error(), maxReason-len(tokenData)) + tokenData, err}
	case errors.Is(err, errBadText):
		return ending{websocket.ClosePolicyViolation, clip(err.Error(), maxReason), err}
	}
	return ending{websocket.CloseInternalServerErr, clip(err.Error(), maxReason), err}
}

// audio is how much was heard.
func (w *worker) audio() time.Duration {
	return span(w.samples, w.params.SampleRate)
}

// note remembers a control message.
func (w *worker) note(kind string) {
	w.record.update(func(c *Connection) {
		if len(c.Controls) < keptControls {
			c.Controls = append(c.Controls, Control{Type: kind, At: w.audio()})
		}
	})
}

// send writes a message and remembers it. After a failed write the client is taken for gone.
func (w *worker) send(message string) {
	if w.writeErr != nil {
		return
	}
	at := time.Duration(0)
	if w.segmenter != nil {
		at = w.segmenter.now()
	}
	w.record.sent(at, message)
	w.writeErr = w.write(message)
}

func (w *worker) result(r result)                     { w.send(w.encoder.results(r)) }
func (w *worker) speechStarted(at time.Duration)      { w.send(w.encoder.speechStarted(at)) }
func (w *worker) utteranceEnd(lastWord time.Duration) { w.send(w.encoder.utteranceEnd(lastWord)) }

// clip shortens s to at most n bytes without cutting a letter in two.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
