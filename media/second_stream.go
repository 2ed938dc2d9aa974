package media

import "time"

const (
	// rivalSilence is how long a stream brings no audio until another stream of its call may take its place without a
	// one-time token. Carriers deliver nothing for a fraction of a second now and then.
	rivalSilence = 3 * time.Second
	// rivalGrace is how long after the other one came a stream may still bring audio that was under way when its connection
	// was lost, beside its tick.
	rivalGrace = 500 * time.Millisecond
	// rivalLook is how often a stream that waits looks at the other.
	rivalLook = 100 * time.Millisecond
)

// admit decides whether a stream of a call may begin. It may wait for some seconds for a stream of the call to show that it
// is gone; what the carrier sends meanwhile is not lost.
func (s *Server) admit(st *Stream) error {
	trusted := len(s.AuthTokens) > 0 // the voice webhook gives tokens to the carrier only
	var silent []*Stream
	for {
		rival, err := s.calls.admit(st, trusted, silent, time.Now())
		if err != nil || rival == nil {
			return err
		}
		err = st.outlast(rival)
		s.calls.waited(st.start.CallSID)
		if err != nil {
			return err
		}
		silent = append(silent, rival)
	}
}

// outlast waits until a rival has ended or has brought no audio for rivalSilence. It returns ErrSecondStream if the rival
// still brings audio, and ErrEnded if st ends first.
func (st *Stream) outlast(rival *Stream) error {
	lost := time.Now().Add(rivalGrace + 2*max(0, st.limits.tick)) // no audio of a stream that is gone comes after this
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

// lastAudio is when the last audio came, or when the stream was opened.
func (st *Stream) lastAudio() time.Time {
	st.mu.Lock()
	defer st.mu.Unlock()
	return later(st.opened, st.audioAt)
}
