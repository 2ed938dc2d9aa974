package aldea

import (
	"bytes"
	"log/slog"
	"time"
)

// listen reads one connection until it ends, and says in c.err why it did.
func (s *Stream) listen(c *conn) {
	defer close(c.done)
	origin := wordOrigin{mode: s.client.config.WordTimes}
	for heard := false; ; heard = true {
		s.listening(true)
		data, binary, err := c.read()
		if err != nil {
			c.err = err
			return
		}
		s.listening(false)
		if !heard {
			c.host.auth.accepted(c.form)
		}
		// JSON takes a deep stack, which a goroutine keeps for long after. So one that ends at once takes it.
		go s.hear(c, &origin, data, binary)
		<-c.heardOne
		s.slowDown(s.intake.take(len(data), time.Now()))
	}
}

// slowDown waits before the next message is read from a server that sends more than any needs to.
func (s *Stream) slowDown(wait time.Duration) {
	if wait <= 0 {
		return
	}
	s.client.guard.messages.slowed.Add(1)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// hear takes one message, while listen waits. A message in a binary frame is not as it should be.
func (s *Stream) hear(c *conn, origin *wordOrigin, data []byte, binary bool) {
	defer func() { c.heardOne <- struct{}{} }()
	if binary && !isObject(data) {
		s.place(c, origin, nil)
		return
	}
	m, odd, err := decode(data)
	if err != nil {
		s.malformed(err, len(data))
		return
	}
	if odd || binary {
		s.odd(len(data))
	}
	if s.place(c, origin, m) {
		s.deliver(m)
	}
}

// isObject reports whether a message may be a JSON object, or a list with one.
func isObject(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

// malformed counts a message that cannot be read. Of many such messages, one is logged.
func (s *Stream) malformed(err error, length int) {
	s.client.guard.messages.malformed.Add(1)
	level := slog.LevelDebug
	s.count(func(stats *Stats) {
		if stats.Malformed++; stats.Malformed == 1 {
			level = slog.LevelWarn
		}
	})
	s.log.Log(s.ctx, level, "recognizer message skipped", "error", err, "bytes", length)
}

// odd counts a message that is not as documented, of which what is needed was taken. Of a server that sends many, one
// is told, for all streams.
func (s *Stream) odd(length int) {
	s.count(func(stats *Stats) { stats.Odd++ })
	level := slog.LevelDebug
	if s.client.guard.messages.odd.Add(1) == 1 {
		level = slog.LevelWarn
	}
	s.log.Log(s.ctx, level, "recognizer message is not as documented: what can be used of it is", "bytes", length)
}

// place puts a message on the source time line and takes note of what it settles. It reports whether the
// message is to be delivered.
func (s *Stream) place(c *conn, origin *wordOrigin, m Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := &s.src.line
	switch m := m.(type) {
	case *Results:
		if origin.resolve(m) {
			s.log.Debug("recognizer word times", "origin", origin.mode.String())
		}
		credible := !m.unplaced && line.credible(m.End)
		m.locate(line)
		return s.note(c, m, credible)
	case *SpeechStarted:
		m.Timestamp = line.at(m.Timestamp)
	case *UtteranceEnd:
		if m.LastWordEnd >= 0 {
			m.LastWordEnd = line.until(m.LastWordEnd)
		}
	case *Metadata:
		s.identify(m.RequestID)
	case *ServerError:
		m.Message = s.client.config.Key.scrub(m.Message)
		s.log.Warn("recognizer reported an error", "variant_bytes", len(m.Variant), "message_bytes", len(m.Message))
	case nil:
		s.client.guard.messages.unknown.Add(1)
		s.stats.Unknown++
		return false
	}
	return true
}

// locate converts the times of a result, whose words count from the start of the connection already.
func (r *Results) locate(line *timeline) {
	if r.unplaced {
		r.Start = timeOf(line.end())
		r.End = r.Start
		return
	}
	if n := len(r.Words); n > 0 && r.End <= r.Start {
		r.End = r.Words[n-1].End // the server gave no duration
	}
	r.Start, r.End = line.at(r.Start), line.until(r.End)
	r.End = max(r.End, r.Start)
	for i := range r.Words {
		w := &r.Words[i]
		w.Start, w.End = line.at(w.Start), line.until(w.End)
		w.End = max(w.End, w.Start)
	}
}

// note counts a result and lets finals settle the audio they cover, unless they claim to cover audio that
// was never sent, so that the audio they cover is unknown.
func (s *Stream) note(c *conn, r *Results, credible bool) bool {
	s.identify(r.RequestID)
	c.answered = true
	if !r.IsFinal {
		s.stats.Interims++
		s.src.interim = r.Transcript != ""
		return true
	}
	s.stats.Finals++
	c.productive = true
	if s.stats.Connections > 1 && r.End <= timeOf(s.src.base) && !r.unplaced {
		s.stats.Repeated++ // the replay began behind it
		return false
	}
	s.src.interim = false
	if credible {
		s.src.settle(s.src.onset(r))
	}
	return true
}

// identify takes note of the recognizer's id of the connection.
func (s *Stream) identify(requestID string) {
	if requestID == "" || requestID == s.stats.RequestID {
		return
	}
	s.log.Debug("recognizer session", slog.String("request_id", requestID), slog.String("before", s.stats.RequestID),
		slog.Duration("from", timeOf(s.src.base).Round(time.Millisecond)))
	s.stats.RequestID = requestID
}
