package media

import "time"

const (
	// rivalSilence is how long a stream must have had no audio before another stream of its call may replace it without a
	// one-time token. Carriers sometimes deliver nothing for a fraction of a second.
	rivalSilence = 3 * time.Second
	// rivalGrace is how long after the second stream arrived the first may still deliver audio that was in transit when its
	// connection was lost, in addition to its tick.
	rivalGrace = 500 * time.Millisecond
	// rivalLook is the polling interval of a waiting stream.
	rivalLook = 100 * time.Millisecond
)

// admit decides whether a stream of a call may begin. It may block for some seconds until it is known whether another stream
// of the call is gone; messages that arrive during that time are not lost.
func (s *Server) admit(st *Stream) error {
	trusted := len(s.AuthTokens) > 0 // the voice webhook gives tokens to the carrier only
	var silent []*Stream
	for {
		rival, err := s.calls.admit(st, trusted, silent, time.Now())
		if err != nil || rival == nil {
			return err
		}
		err = st.waitForRival(rival)
		s.calls.waited(st.start.CallSID)
		if err != nil {
			return err
		}
		silent = append(silent, rival)
	}
}

// waitForRival waits until a rival has ended or has had no audio for rivalSilence. It returns ErrSecondStream if the rival
// still brings audio, and ErrEnded if st ends first.
func (st *Stream) waitForRival(rival *Stream) error {
	lost := time.Now().Add(rivalGrace + 2*max(0, st.limits.tick)) // a stream that is gone has no audio after this
	look := time.NewTicker(rivalLook)
	defer look.Stop()
	for {
		audio := rival.lastAudio()
		switch {
		case st.endReason() != "":
			return ErrEnded
		case rival.endReason() != "" || time.Since(audio) >= rivalSilence:
			return nil
		case audio.After(lost):
			return ErrSecondStream
		}
		<-look.C
	}
}

// lastAudio returns the arrival of the last audio, or the time when the stream was opened.
func (st *Stream) lastAudio() time.Time {
	st.mu.Lock()
	defer st.mu.Unlock()
	return later(st.opened, st.audioAt)
}
