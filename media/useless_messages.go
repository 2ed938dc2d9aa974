package media

import "errors"

// manyUseless is after how many messages, of which none brought audio, a stream is reported while it is up: a second of
// frames of 20 ms.
const manyUseless = 50

// Why a message was no use, beside errMalformed. They are reported, so they hold nothing of the message.
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

// useless is what the reader knows of messages that were no use.
type useless struct {
	n      int
	last   error // why the last one was none
	judged bool
}

func (u *useless) note(err error) {
	u.n++
	u.last = err
}

// skip counts a message that was no use.
func (st *Stream) skip(err error) {
	st.n.skipped.Add(1)
	st.useless.note(err)
}

// bad counts audio that cannot be read.
func (st *Stream) bad(err error) {
	st.n.bad.Add(1)
	st.useless.note(err)
}

// judge reports a stream that brought so many useless messages and no audio. It decides once.
func (st *Stream) judge(many int) {
	if st.useless.judged || st.useless.n < many {
		return
	}
	st.useless.judged = true
	st.mu.Lock()
	heard := st.line != nil && st.line.placed
	st.mu.Unlock()
	if !heard {
		st.onNoAudio()
	}
}
