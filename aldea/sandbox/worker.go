package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Reasons of close frames, with Deepgram's texts: clients look for the tokens at the end.
const (
	reasonIdle = "The server did not receive audio data or a text message within the timeout window. See net0001"
	tokenData  = " (data0000)"
	maxReason  = 123 // bytes in a control frame, less the code
)

// ending is the result of a worker: a close code for the client, 1006 to cut the connection, or 0 if the client is gone.
type ending struct {
	code   int
	reason string
	err    error
}

// A worker processes a stream's items in order: it feeds the audio to the recognizer and writes the messages. Only its
// goroutine uses its state.
type worker struct {
	opts         *Options
	params       Params
	record       *record
	encoder      encoder
	resultWriter resultWriter
	write        func(message string) error
	gone         <-chan struct{} // closed when reading from the client has ended

	fault    Fault           // the remaining fault; Heal clears it
	actions  []faultAction   // not run yet
	healed   <-chan struct{} // closed by Heal; nil after heal has run
	outage   func(Outage)    // begins an outage
	halfOpen func() func()   // stops the reader; the returned function resumes it

	in        *input
	segmenter *segmenter // nil until the first sample, when the rate is known
	samples   int64
	out       sendQueue
	writeErr  error
	gauge     gauge
	arrived   time.Time // arrival of the audio being processed
	notBefore time.Time // no audio is processed before: the client was too fast
}

// run processes items until the stream ends.
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

// step waits for the next event and handles it. It reports whether the stream is over.
func (w *worker) step(ctx context.Context, q *queue) (done bool, err error) {
	ready, decoded := q.ready, w.in.Ready()
	if time.Until(w.notBefore) > 0 {
		ready, decoded = nil, nil
	}
	timer := w.timer()
	if timer != nil {
		defer timer.Stop()
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
	case <-timerChan(timer):
	}
	w.post()
	return done, err
}

// rest counts the audio that was received but is not processed any more.
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
		_ = w.segmenter.recognizer.Close() // the stream is over: an error has no consequence
	}
}

// take processes one item and reports whether the stream is over.
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

// hear processes decoded samples. The first ones determine the rate and open the recognizer.
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
	for len(w.actions) > 0 {
		left := max(0, samplesIn(w.actions[0].at, rate)-w.samples)
		if int64(len(samples)) < left {
			break
		}
		if err := w.listen(samples[:left]); err != nil {
			return err
		}
		samples = samples[left:]
		if err := w.runAction(ctx); err != nil {
			return err
		}
	}
	return w.listen(samples)
}

// listen processes the samples between two fault actions.
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

// closeStream processes the remaining audio and sends the remaining results.
func (w *worker) closeStream(ctx context.Context) error {
	if err := w.in.Finish(ctx); err != nil || w.segmenter == nil {
		return err
	}
	return w.segmenter.Close()
}

// end sends the closing Metadata and returns the close code for err.
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
	if err == nil || !w.out.withheld && !errors.Is(err, errClosed) {
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

// audio returns the duration of the processed audio.
func (w *worker) audio() time.Duration {
	return span(w.samples, w.params.SampleRate)
}

// note records a control message.
func (w *worker) note(kind string) {
	w.record.update(func(c *Connection) {
		if len(c.Controls) < keptControls {
			c.Controls = append(c.Controls, Control{Type: kind, At: w.audio()})
		}
	})
}

// clip shortens s to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
