package sandbox

import "math/rand/v2"

// A shape is how one message is written where dialects differ.
type shape struct {
	words        Words     // never WordsProfile
	null         bool      // no words are null rather than an empty list
	decimals     bool      // milliseconds have a fraction
	punctuated   bool      // word objects hold punctuated_word, too
	pair         bool      // channels are [0,1] rather than [0]
	info         infoShape // of the metadata in Results
	byModel      bool      // model_info in Metadata is a map by model
	version      string    // of the model in Results, as JSON
	arch         string
	fromFinalize bool   // there is such a field
	omitFalse    bool   // flags that are false are left out
	extra        string // more members, each with a comma before it
}

// infoShape is what metadata there is in Results.
type infoShape int

const (
	infoModel infoShape = iota // request_id and model_info
	infoUUID                   // and model_uuid
	infoMap                    // and model_uuid, by which model_info is a map
	infoID                     // request_id alone
	infoNone                   // no metadata
)

// extraMembers are fields that nobody knows.
const extraMembers = `,"x_score":-1.5e3,"x_note":"\u00e9 \"quoted\" \\ {","x_tree":{"list":[1,null,[]],"type":"Results"}`

// shape is that of the next message.
func (e *encoder) shape() shape {
	s := shape{words: WordsArrays, version: "null", arch: "aldea-asr"}
	if e.profile == ProfileDeepgram {
		s = shape{words: WordsObjects, pair: true, info: infoUUID, byModel: true, version: `"sandbox"`, arch: "sandbox", fromFinalize: true}
	}
	if e.fault.Mixed {
		s = randomShape(e.random)
		if e.fault.Overlap > 0 { // without its words nobody could tell what such a final says again
			s.words = pick(e.random, WordsArrays, WordsObjects)
		}
	}
	if e.fault.Words != WordsProfile {
		s.words, s.null = e.fault.Words, false
	}
	if e.fault.UnknownFields {
		s.extra = extraMembers
	}
	return s
}

// randomShape is a legal one. Relative word times are not among them: they are a matter of the connection, and a
// single message does not show which it has.
func randomShape(random *rand.Rand) shape {
	coin := func() bool { return random.IntN(2) == 0 }
	return shape{
		words:        pick(random, WordsArrays, WordsObjects, WordsEmpty, WordsAbsent),
		null:         coin(),
		decimals:     coin(),
		punctuated:   coin(),
		pair:         coin(),
		info:         pick(random, infoModel, infoUUID, infoMap, infoID, infoNone),
		byModel:      coin(),
		version:      pick(random, `""`, `null`, `"2026-08-01"`),
		arch:         pick(random, "aldea-asr", "subq-asr", "sandbox"),
		fromFinalize: coin(),
		omitFalse:    coin(),
		extra:        pick(random, "", "", "", extraMembers),
	}
}

// mixed fills what a fault leaves open with what holds for a whole connection.
func (f *Fault) mixed(random *rand.Rand) {
	if !f.Mixed {
		return
	}
	placement := pick(random, MetadataOpen, MetadataClose, MetadataBoth, MetadataNever)
	if f.Metadata == MetadataProfile {
		f.Metadata = placement
	}
	f.EmptyInterims = random.IntN(2) == 0 || f.EmptyInterims
	f.EmptyFinals = random.IntN(2) == 0 || f.EmptyFinals
}

// metadata reports when Metadata is due.
func (f *Fault) metadata(o *Options) (atOpen, atClose bool) {
	switch f.Metadata {
	case MetadataOpen:
		return true, false
	case MetadataClose:
		return false, true
	case MetadataBoth:
		return true, true
	case MetadataNever:
		return false, false
	}
	return o.Profile != ProfileDeepgram, o.ClosingMetadata
}
