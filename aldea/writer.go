package aldea

import (
	"errors"
	"slices"
	"time"

	"aldeabridge/codec"
)

// errReaderEnded means that the connection ended on the reading side, which knows why.
var errReaderEnded = errors.New("aldea: reader ended")

// fillerSamples is the silence that is sent before the first KeepAlive if there was no audio yet, 20 ms:
// Deepgram does not count a KeepAlive until it has heard something.
const fillerSamples = 160

// sendBuffers is pooled scratch space for building one message of audio.
type sendBuffers struct {
	mulaw []byte
	frame []byte // room for a header and the linear PCM
	room  codec.Room
}

// A writer sends a stream's audio. It serves all connections of the stream, one after the other, and is guarded by Stream.writeMu.
type writer struct {
	s       *Stream
	codec   *codec.Expander
	chunk   int64        // samples in one message of live audio
	most    int64        // samples in the longest message
	buffers *sendBuffers // of the message that is being sent
	pace    pacer
	timer   *time.Timer
	armed   time.Time // when timer fires; zero when it does not

	conn     *conn // while send uses it
	failed   error // of sendNow
	host     *host
	limit    time.Duration // of a stall
	opened   time.Time
	pinged   time.Time
	lastSent time.Time // audio or KeepAlive
}

func newWriter(s *Stream) (*writer, error) {
	config := &s.client.config
	expander, err := codec.NewExpander(config.SampleRate)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &writer{
		s:     s,
		codec: expander,
		chunk: sampleAt(config.Chunk),
		most:  int64(config.messageSamples()),
		pace:  pacer{speed: config.ReplaySpeed},
		timer: timer,
	}, nil
}

// restart prepares for a new connection.
func (w *writer) restart(now time.Time) {
	w.codec.Reset()
	w.pace.restart(now)
	w.opened, w.pinged, w.lastSent = now, now, now
	w.failed = nil
	w.limit = w.s.stallLimit()
}

// send writes until the audio is complete and CloseStream is sent, which is nil, or the connection ends.
func (w *writer) send(c *conn) error {
	w.conn = c
	defer func() { w.conn = nil }()
	for {
		if w.failed != nil {
			return w.failed
		}
		if err := c.flush(w.s.client.config.WriteTimeout); err != nil {
			return err
		}
		step, until := w.plan(time.Now())
		var err error
		switch step.kind {
		case stepWait:
			err = w.wait(c, until)
		case stepPing:
			err = c.ping()
		case stepGap:
			w.s.deliverGap()
		case stepRecovered:
			w.s.deliver(step.recovered)
		case stepAudio:
			err = w.audio(c, step.audio)
		case stepFinalize:
			err = c.writeText(finalizeMessage)
		case stepKeepAlive:
			err = w.keepAlive(c, step.filler)
		case stepClose:
			return w.closeStream(c)
		case stepTimeout:
			return errDrainTimeout
		case stepStalled:
			return errStalled
		case stepMove:
			return errMoved
		}
		if err != nil {
			return err
		}
	}
}

// room returns a buffer for n samples, until audio has sent them.
func (w *writer) room(n int64) []byte {
	if w.buffers == nil {
		var ok bool
		if w.buffers, ok = w.s.client.pools.sendBuffers.Get().(*sendBuffers); !ok {
			w.buffers = new(sendBuffers)
		}
	}
	w.buffers.mulaw = slices.Grow(w.buffers.mulaw[:0], int(n))[:n]
	return w.buffers.mulaw
}

// audio sends what is in the buffer that room returned as linear PCM.
func (w *writer) audio(c *conn, mulaw []byte) error {
	k := w.buffers
	w.buffers = nil
	defer w.s.client.pools.sendBuffers.Put(k)
	k.frame = w.codec.AppendIn(&k.room, append(k.frame[:0], make([]byte, frameRoom)...), mulaw)
	return c.writeAudio(k.frame)
}

// wait sleeps until there is something to do. The timer is set only when it would fire too late: in a
// stream whose audio flows that is once every few seconds.
func (w *writer) wait(c *conn, until time.Time) error {
	if w.armed.IsZero() || until.Before(w.armed) {
		w.timer.Reset(time.Until(until))
		w.armed = until
	}
	w.s.writeMu.Unlock()
	defer w.s.writeMu.Lock()
	select {
	case <-w.s.wake:
	case <-w.timer.C:
		w.armed = time.Time{}
	case <-c.done:
		return errReaderEnded
	}
	return nil
}

// sendNow sends the audio that is due, from Write, if nothing else is to be done and it need not wait. It answers false when
// run must do it, or something more.
func (w *writer) sendNow() bool {
	if w.conn == nil || w.conn.lazy == nil || w.conn.lazy.hasPending() || w.failed != nil {
		return false
	}
	step, ok := w.planNow(time.Now())
	if !ok {
		return false
	}
	w.failed = w.audio(w.conn, step.audio)
	return w.failed == nil && !w.conn.lazy.hasPending()
}

// keepAlive sends KeepAlive, after a little silence if the connection has carried no audio yet.
func (w *writer) keepAlive(c *conn, filler bool) error {
	if filler {
		if err := c.writeAudio(make([]byte, frameRoom+fillerSamples*2*int(w.codec.Rate())/8000)); err != nil {
			return err
		}
	}
	return c.writeText(keepAliveMessage)
}

// closeStream sends what the codec still holds of the last samples, and CloseStream.
func (w *writer) closeStream(c *conn) error {
	if err := c.writeAudio(w.codec.Flush(make([]byte, frameRoom))); err != nil {
		return err
	}
	if err := c.writeText(closeStreamMessage); err != nil {
		return err
	}
	return c.flush(w.s.client.config.WriteTimeout)
}
