package media

// pendingAudio collects the samples of one track that arrived within one tick, so that the Receiver gets one Audio call a
// tick: a call costs the Receiver more than a sample does.
type pendingAudio struct {
	n   int
	buf *[readSize]byte // from the shared pool; nil while no samples are pending
}

// audio adds the next samples of a track's time line. st.mu must be held.
func (st *Stream) audio(t Track, mulaw []byte) {
	p := &st.pending[t]
	if len(mulaw) > readSize-p.n {
		st.flushTrack(t)
	}
	if !st.ticks || len(mulaw) > readSize {
		st.to.Audio(t, mulaw)
		return
	}
	if p.buf == nil {
		p.buf = st.buffer()
	}
	p.n += copy(p.buf[p.n:], mulaw)
}

// flushAudio passes the pending audio to the Receiver. st.mu must be held.
func (st *Stream) flushAudio() {
	for t := range trackCount {
		st.flushTrack(t)
	}
}

func (st *Stream) flushTrack(t Track) {
	p := st.pending[t]
	if p.buf == nil {
		return
	}
	st.pending[t] = pendingAudio{} // before the call, which may panic
	st.to.Audio(t, p.buf[:p.n])
	st.spare.Put(p.buf)
}
