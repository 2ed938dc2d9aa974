package aldea

import "time"

// A question is speech that was sent and to which nothing has come back. The zero value means that there is
// none.
type question struct {
	at   time.Time // when its beginning was sent
	from int64     // where it begins
}

// ask notes that the latest audio, n samples, may be speech.
func (s *source) ask(n int64, now time.Time) {
	if !s.deaf && s.question.at.IsZero() && s.loudEnd == s.next {
		s.question = question{now, s.next - n}
	}
}

// listening notes whether the reader waits for a message. While it does not, because a message came and Next
// is slow to take it, other messages may have come that were not read yet.
func (s *Stream) listening(waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.src.deaf = !waits
	s.src.question = question{}
}

// stalled reports whether a question is open for so long, both in time and in audio: a server that is fed
// faster than real time has not had the time, and one that is fed nothing has nothing to say.
func (s *source) stalled(limit time.Duration, now time.Time) bool {
	q := s.question
	return !q.at.IsZero() && now.Sub(q.at) >= limit && timeOf(s.next-q.from) >= limit
}

// openQuestion is when the first speech was sent that nothing came back for.
func (s *Stream) openQuestion() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.src.question.at
}

// stallLimit is the time that a connection has to answer. It doubles with every connection before it that
// stalled without a single result: then it is rather the audio, such as music, that is no speech.
func (s *Stream) stallLimit() time.Duration {
	config := &s.as.config
	limit := config.StallTimeout
	if config.Endpointing == "false" {
		limit += finalizeEvery // there may be no answer before
	}
	return limit << min(s.stalls, 6)
}
