package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

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
	teller  teller
	write   func(message string) error
	gone    <-chan struct{} // closed when nothing more comes from the client

	fault    Fault           // what is left of it; Heal empties it
	strikes  []strike        // still to come
	healed   <-chan struct{} // closed by Heal; nil once that was noticed
	outage   func(Outage)    // begins one
	halfOpen func() func()   // stops the reader; what it returns lets it go on

	in        *input
	segmenter *segmenter // nil until the first sample: only then the rate is certain
	samples   int64
	out       outbox
	writeErr  error
	gauge     gauge
	arrived   time.Time // of the audio being heard
	notBefore time.Time // nothing is heard before: the client was too fast
}

// run works until the stream ends.
func (w *worker) run(ctx context.Context, q *queue) ending {
	w.in = newInput(w.params, w.opts.FFmpeg, func(samples []int16, rate int) error { return w.hear(ctx, samples, rate) })
	defer w.close()
	if err := w.opening(ctx); err != nil {
		return w.end(ctx, err)
	}
	if atOpen, _ := w.fault.metadata(w.opts); atOpen {
		w.send(w.encoder.metadata(0, ""))
	}
	for {
		done, err := w.step(ctx, q)
		if errors.Is(w.writeErr, errWithheld) {
			w.writeErr = nil
			return w.end(ctx, errWithheld)
		}
		if w.writeErr != nil || ctx.Err() != nil {
			w.rest(q)
			return ending{}
		}
		if done || err != nil {
			return w.end(ctx, err)
		}
	}
}

// step does the next thing there is to do, and reports whether the stream is over.
func (w *worker) step(ctx context.Context, q *queue) (done bool, err error) {
	ready, decoded := q.ready, w.in.Ready()
	if time.Until(w.notBefore) > 0 {
		ready, decoded = nil, nil
	}
	alarm := w.alarm()
	if alarm != nil {
		defer alarm.Stop()
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-ready:
		if it, ok := q.pop(); ok {
			w.arrived = it.at
			done, err = w.take(ctx, it)
		}
	case samples, ok := <-decoded:
		w.arrived = time.Now()
		if !ok {
			return false, fmt.Errorf("%w: ffmpeg ended early", errUndecodable)
		}
		err = w.in.transcoded(samples)
	case <-w.healed:
		w.heal()
	case <-rings(alarm):
	}
	w.post()
	return done, err
}

// rest counts what was received but will not be heard any more.
func (w *worker) rest(q *queue) {
	for it, ok := q.pop(); ok; it, ok = q.pop() {
		if it.audio != nil {
			w.record.received(it.audio)
		}
	}
}

// close releases the recognizer and ffmpeg.
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

// hear takes decoded samples; the first ones decide the rate and open the recognizer.
func (w *worker) hear(ctx context.Context, samples []int16, rate int) error {
	if w.segmenter == nil {
		w.params.SampleRate = rate
		r, err := w.opts.Source.Open(ctx, w.params)
		if err != nil {
			return fmt.Errorf("open recognizer: %w", err)
		}
		w.segmenter = newSegmenter(w.opts, w.params, r, w)
		w.segmenter.emptyInterims = w.fault.EmptyInterims
		w.segmenter.emptyFinals = w.opts.EmptyFinals || w.fault.EmptyFinals
	}
	if err := w.limit(span(int64(len(samples)), rate)); err != nil {
		return err
	}
	for len(w.strikes) > 0 {
		left := max(0, samplesIn(w.strikes[0].at, rate)-w.samples)
		if int64(len(samples)) < left {
			break
		}
		if err := w.listen(samples[:left]); err != nil {
			return err
		}
		samples = samples[left:]
		if err := w.strike(ctx); err != nil {
			return err
		}
	}
	return w.listen(samples)
}

// listen hears samples between two strikes.
func (w *worker) listen(samples []int16) error {
	if len(samples) == 0 {
		return nil
	}
	w.samples += int64(len(samples))
	w.record.update(func(c *Connection) {
		c.SampleRate, c.Audio = w.params.SampleRate, w.audio()
		if w.opts.KeepAudio {
			c.PCM = append(c.PCM, samples...)
		}
	})
	return w.segmenter.Write(samples)
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
func (w *worker) end(ctx context.Context, err error) ending {
	if errors.Is(err, errDropped) {
		return ending{code: websocket.CloseAbnormalClosure}
	}
	if ctx.Err() != nil { // the server closes, or the client is gone
		return ending{}
	}
	closing := w.fault.closing()
	if _, atClose := w.fault.metadata(w.opts); atClose {
		w.send(w.encoder.metadata(w.audio(), w.record.digest()))
	}
	if err == nil || !w.out.held && !errors.Is(err, errClosed) {
		w.drain(ctx)
	}
	switch {
	case err == nil:
		return ending{code: websocket.CloseNormalClosure}
	case errors.Is(err, errClosed):
		return closing
	case errors.Is(err, errIdle):
		return ending{websocket.CloseInternalServerErr, reasonIdle, err}
	case errors.Is(err, errUndecodable):
		return ending{websocket.ClosePolicyViolation, clip(err.Error(), maxReason-len(tokenData)) + tokenData, err}
	case errors.Is(err, errBadText), errors.Is(err, errTooFast):
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
