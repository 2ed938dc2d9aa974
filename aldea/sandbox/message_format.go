package sandbox

import "math/rand/v2"

// A format holds the choices for one message where dialects differ.
type format struct {
	words        Words      // never WordsProfile
	null         bool       // a missing word list is null rather than empty
	decimals     bool       // milliseconds have a fraction
	punctuated   bool       // word objects hold punctuated_word, too
	pair         bool       // channels are [0,1] rather than [0]
	info         infoFormat // of the metadata in Results
	byModel      bool       // model_info in Metadata is a map by model
	version      string     // of the model in Results, as JSON
	arch         string
	fromFinalize bool   // the field from_finalize exists
	omitFalse    bool   // flags that are false are left out
	extra        string // additional members, each with a leading comma
}

// infoFormat is the metadata in Results.
type infoFormat int

const (
	infoModel infoFormat = iota // request_id and model_info
	infoUUID                    // and model_uuid
	infoMap                     // and model_uuid, by which model_info is a map
	infoID                      // request_id alone
	infoNone                    // no metadata
)

// extraMembers are unknown fields.
const extraMembers = `,"x_score":-1.5e3,"x_note":"\u00e9 \"quoted\" \\ {","x_tree":{"list":[1,null,[]],"type":"Results"}`

// format returns the format of the next message.
func (e *encoder) format() format {
	s := format{words: WordsArrays, version: "null", arch: "aldea-asr"}
	if e.profile == ProfileDeepgram {
		s = format{words: WordsObjects, pair: true, info: infoUUID, byModel: true, version: `"sandbox"`, arch: "sandbox", fromFinalize: true}
	}
	if e.fault.Mixed {
		s = randomFormat(e.random)
		if e.fault.Overlap > 0 { // without words a client could not detect the repetition in such a final
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

// randomFormat returns a random legal format. It excludes relative word times: they apply to a whole connection, and a
// single message does not show which kind it has.
func randomFormat(random *rand.Rand) format {
	coin := func() bool { return random.IntN(2) == 0 }
	return format{
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

// mixed chooses the settings for the whole connection that the fault does not set.
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

// metadata reports whether Metadata is sent at open and at close.
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
