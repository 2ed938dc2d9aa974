package aldea

import (
	"log/slog"
	"time"
)

// listen reads one connection until it ends, and says in c.err why it did.
func (s *Stream) listen(c *conn) {
	defer close(c.done)
	origin := wordOrigin{mode: s.client.config.WordTimes}
	for heard := false; ; heard = true {
		s.listening(true)
		data, err := c.read()
		if err != nil {
			c.err = err
			return
		}
		s.listening(false)
		if !heard {
			c.host.auth.accepted(c.form)
		}
		// JSON takes a deep stack, which a goroutine keeps for long after. So one that ends at once takes it.
		go s.hear(c, &origin, data)
		<-c.heardOne
	}
}

// hear takes one message, while listen waits.
func (s *Stream) hear(c *conn, origin *wordOrigin, data []byte) {
	defer func() { c.heardOne <- struct{}{} }()
	m, err := decode(data)
	if err != nil {
		level := slog.LevelDebug // a recogniser that says many such things is told of once
		s.count(func(stats *Stats) {
			if stats.Malformed++; stats.Malformed == 1 {
				level = slog.LevelWarn
			}
		})
		s.log.Log(s.ctx, level, "recogniser message skipped", "error", err, "bytes", len(data))
		return
	}
	if s.place(c, origin, m) {
		s.deliver(m)
	}
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
			s.log.Debug("recogniser word times", "origin", origin.mode.String())
		}
		credible := line.credible(m.End)
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
		s.log.Warn("recogniser reported an error", "variant_bytes", len(m.Variant), "message_bytes", len(m.Message))
	case nil:
		s.stats.Unknown++
		return false
	}
	return true
}

// locate converts the times of a result, whose words count from the start of the connection already.
func (r *Results) locate(line *timeline) {
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
// was never sent: who knows what they do cover.
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
	if s.stats.Connections > 1 && r.End <= timeOf(s.src.base) {
		s.stats.Repeated++ // the replay began behind it
		return false
	}
	s.src.interim = false
	if credible {
		s.src.settle(s.src.onset(r))
	}
	return true
}

// identify takes note of the recogniser's id of the connection.
func (s *Stream) identify(requestID string) {
	if requestID == "" || requestID == s.stats.RequestID {
		return
	}
	s.log.Debug("recogniser session", slog.String("request_id", requestID), slog.String("before", s.stats.RequestID),
		slog.Duration("from", timeOf(s.src.base).Round(time.Millisecond)))
	s.stats.RequestID = requestID
}
