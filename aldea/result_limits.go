package aldea

import "strings"

// Bounds of one message. A result covers about a minute at most, and speech of a minute has less than a tenth of this.
const (
	maxTranscript = 16 << 10 // bytes
	maxWords      = 4096
	maxWord       = 256      // bytes
	maxID         = 256      // bytes of a request id
	maxModels     = 16 << 10 // bytes of model_info
)

// bound cuts off what is more than a result can have, and reports whether there was any. Word times that do not belong
// to all of the words are worth nothing.
func (r *Results) bound() bool {
	long := len(r.Transcript) > maxTranscript || len(r.Words) > maxWords || len(r.RequestID) > maxID
	r.Transcript, r.RequestID = clip(r.Transcript, maxTranscript), clip(r.RequestID, maxID)
	if len(r.Words) > maxWords {
		r.Words = nil
	}
	for _, w := range r.Words {
		if len(w.Text) > maxWord {
			r.Words = nil
			return true
		}
	}
	return long
}

// clip returns the first bytes of s, so many at most, without a part of a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.Clone(strings.ToValidUTF8(s[:most], ""))
}
