package media

// A held is audio of one track that came at one tick. The receiver is told of it in one piece: what it does for a piece costs
// more than what it does for a sample.
type held struct {
	on    bool // the stream is read at ticks
	track Track
	n     int
	in    *[readSize]byte // shared by all streams; nil while there is nothing
}

// audio takes the next samples of a track's time line. The stream's mutex is held.
func (st *Stream) audio(t Track, mulaw []byte) {
	h := &st.held
	if !h.on || len(mulaw) > readSize {
		st.tell()
		st.to.Audio(t, mulaw)
		return
	}
	if t != h.track || len(mulaw) > readSize-h.n {
		st.tell()
	}
	if h.in == nil {
		h.in = st.buffer()
	}
	h.track = t
	h.n += copy(h.in[h.n:], mulaw)
}

// tell tells the receiver of the audio that is held. The stream's mutex is held.
func (st *Stream) tell() {
	h := &st.held
	if h.in == nil {
		return
	}
	st.to.Audio(h.track, h.in[:h.n])
	st.spare.Put(h.in)
	h.in, h.n = nil, 0
}
