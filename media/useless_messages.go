package media

import "errors"

// maxUnusable is the number of unusable messages after which a stream without audio is reported: one second of 20 ms
// frames.
const maxUnusable = 50

// The reasons why a message is unusable, besides errMalformed. They are logged, so they contain no part of the message.
var (
	errTooLong     = errors.New("media: message too long")
	errBinary      = errors.New("media: binary message")
	errOtherStream = errors.New("media: message of another streamSid")
	errOtherTrack  = errors.New("media: audio of a track that the start message does not name")
	errUnexpected  = errors.New("media: unknown or unexpected event")
	errNoPayload   = errors.New("media: audio without a payload")
	errNotBase64   = errors.New("media: payload that is not base64")
	errEmpty       = errors.New("media: empty payload")
)

// unusableMessages counts the messages of a stream that could not be used.
type unusableMessages struct {
	n        int
	last     error // the reason of the last one
	reported bool
}

func (u *unusableMessages) note(err error) {
	u.n++
	u.last = err
}

// skip counts an unusable message.
func (st *Stream) skip(err error) {
	st.n.skipped.Add(1)
	st.unusable.note(err)
}

// bad counts a media message whose payload cannot be decoded.
func (st *Stream) bad(err error) {
	st.n.bad.Add(1)
	st.unusable.note(err)
}

// reportNoAudio reports a stream, once, that has had at least minimum unusable messages and no audio.
func (st *Stream) reportNoAudio(minimum int) {
	if st.unusable.reported || st.unusable.n < minimum {
		return
	}
	st.unusable.reported = true
	st.mu.Lock()
	hasAudio := st.line != nil && st.line.placed
	st.mu.Unlock()
	if !hasAudio {
		st.onNoAudio()
	}
}
