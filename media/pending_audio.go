package media

// A held is audio of one track that came at one tick. The receiver is told of it in one piece: what it does for a piece costs
// more than what it does for a sample.
type held struct {
	n  int
	in *[readSize]byte // shared by all streams; nil while there is nothing
}

// audio takes the next samples of a track's time line. The stream's mutex is held.
func (st *Stream) audio(t Track, mulaw []byte) {
	h := &st.held[t]
	if len(mulaw) > readSize-h.n {
		st.tellTrack(t)
	}
	if !st.ticks || len(mulaw) > readSize {
		st.to.Audio(t, mulaw)
		return
	}
	if h.in == nil {
		h.in = st.buffer()
	}
	h.n += copy(h.in[h.n:], mulaw)
}

// tell tells the receiver of the audio that is held. The stream's mutex is held.
func (st *Stream) tell() {
	for t := range trackCount {
		st.tellTrack(t)
	}
}

func (st *Stream) tellTrack(t Track) {
	h := st.held[t]
	if h.in == nil {
		return
	}
	st.held[t] = held{} // first: the receiver may panic
	st.to.Audio(t, h.in[:h.n])
	st.spare.Put(h.in)
}
