package media

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Start says which call a stream belongs to, as the carrier's start message told it (Twilio Media
// Streams: start message).
type Start struct {
	CallSID    string
	StreamSID  string
	AccountSID string // may be empty

	// From, To and Direction are custom parameters of those names, as the answer to the voice webhook sets
	// them; the carrier's message has no others. Each is empty where unknown. Direction is "inbound" or
	// "outbound".
	From, To, Direction string

	// Params are the other custom parameters. It is never nil and must not be written to.
	Params map[string]string

	// Tracks are the tracks the carrier announced, without repetition, at least one. Only their audio
	// reaches the Receiver.
	Tracks []Track

	Format Format

	token   string // the one-time token, taken out of Params
	leftOut int    // parameters beyond the bounds
}

// A Format is how the carrier's audio is encoded. It is always the one Twilio sends: other audio is
// refused.
type Format struct {
	Encoding   string // a media type, "audio/x-mulaw"
	SampleRate int    // Hz
	Channels   int
}

// mulaw is the only format of Twilio Media Streams.
var mulaw = Format{Encoding: "audio/x-mulaw", SampleRate: 8000, Channels: 1}

// Bounds on what a start message may make us keep. Every event of the call has the parameters. Twilio allows 99 of
// 500 characters; its identifiers have 34.
const (
	maxParams    = 100
	maxParamName = 256      // bytes
	maxParamSize = 4 << 10  // bytes of name and value
	maxParamSum  = 16 << 10 // bytes of all names and values, as JSON
	maxIDSize    = 128      // bytes
	maxEncoding  = 64       // bytes
)

// The custom parameters that the answer to the voice webhook sets.
const (
	paramFrom      = "from"
	paramTo        = "to"
	paramDirection = "direction"
	paramToken     = "bridge_token"
)

// unmarshalStart reads a start message.
func (m *message) unmarshalStart(o object) error {
	start, ok := o.object("start")
	if !ok {
		return fmt.Errorf("%w: start without its object", errMalformed)
	}
	st := &Start{Tracks: parseTracks(start["tracks"])}
	st.CallSID, _ = start.text("callSid")
	st.AccountSID, _ = start.text("accountSid")
	st.StreamSID, _ = start.text("streamSid")
	if st.StreamSID == "" {
		st.StreamSID = string(m.streamSID)
	}
	switch {
	case !isID(st.CallSID):
		return fmt.Errorf("%w: start without a usable callSid", errMalformed)
	case !isID(st.StreamSID):
		return fmt.Errorf("%w: start without a usable streamSid", errMalformed)
	case st.AccountSID != "" && !isID(st.AccountSID):
		return fmt.Errorf("%w: start with an unusable accountSid", errMalformed)
	}
	format, _ := start.object("mediaFormat")
	st.Format = parseFormat(format)
	params, _ := start.object("customParameters")
	st.setParams(params)
	m.start = st
	return nil
}

// isID says whether s can name a call: it goes into logs, headers and file names. Characters that are not seen, such as those
// that change the direction of writing, cannot.
func isID(s string) bool {
	return s != "" && len(s) <= maxIDSize && utf8.ValidString(s) && !strings.ContainsFunc(s, hidden)
}

func hidden(r rune) bool { return !unicode.IsPrint(r) }

// parseTracks reads the list of tracks, or a single name. What it does not know it leaves out. Nothing
// known means the inbound track.
func parseTracks(raw json.RawMessage) []Track {
	var names []json.RawMessage
	if err := json.Unmarshal(raw, &names); err != nil {
		names = []json.RawMessage{raw}
	}
	var tracks []Track
	for _, name := range names {
		var s string
		if err := json.Unmarshal(name, &s); err != nil || s == "" {
			continue
		}
		if t, ok := parseTrack([]byte(s)); ok && !slices.Contains(tracks, t) {
			tracks = append(tracks, t)
		}
	}
	if tracks == nil {
		tracks = []Track{TrackInbound}
	}
	return tracks
}

// parseFormat reads the media format. Missing fields are those of µ-law. Numbers may be strings.
func parseFormat(o object) Format {
	f := mulaw
	if s, ok := o.text("encoding"); ok {
		f.Encoding = strings.ToLower(s)
	}
	if !isMediaType(f.Encoding) {
		f.Encoding = "unknown"
	}
	switch f.Encoding {
	case "audio/mulaw", "audio/pcmu", "mulaw", "pcmu": // the same, by other names (RFC 3551: PCMU)
		f.Encoding = mulaw.Encoding
	}
	if s, ok := o.text("sampleRate"); ok {
		f.SampleRate, _ = parseWhole(s)
	}
	if s, ok := o.text("channels"); ok {
		f.Channels, _ = parseWhole(s)
	}
	return f
}

// isMediaType tells whether s may be a media type without parameters (RFC 6838). It goes into the log.
func isMediaType(s string) bool {
	return s != "" && len(s) <= maxEncoding && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789/.+-_") == ""
}

// ourParams are the parameters that are no fields of Params. They are taken first, so that others cannot displace them.
var ourParams = []string{paramToken, paramDirection, paramFrom, paramTo}

// setParams keeps the custom parameters, up to the bounds, in the order of their names.
func (st *Start) setParams(o object) {
	names := slices.Clone(ourParams)
	for name := range o {
		if !slices.Contains(ourParams, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[len(ourParams):])
	st.Params = make(map[string]string, min(len(names), maxParams))
	sum := 0
	for _, name := range names {
		value, ok := o.text(name)
		if !ok {
			continue
		}
		size := jsonSize(name) + jsonSize(value)
		if len(name) > maxParamName || len(name)+len(value) > maxParamSize || sum+size > maxParamSum || len(st.Params) == maxParams {
			st.leftOut++
			continue
		}
		sum += size
		st.setParam(name, value)
	}
}

func (st *Start) setParam(name, value string) {
	switch name {
	case paramFrom:
		st.From = value
	case paramTo:
		st.To = value
	case paramDirection:
		st.Direction = direction(value)
	case paramToken:
		st.token = value
	default:
		st.Params[name] = value
	}
}

// jsonSize is how many bytes s has in the JSON of an event, at most: characters that are not seen are escaped.
func jsonSize(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			n += len(`\"`)
		case unicode.IsPrint(r):
			n += utf8.RuneLen(r)
		case r > 0xFFFF:
			n += len(`\ud800\udc00`)
		default:
			n += len(`\u0000`)
		}
	}
	return n
}

// direction makes one word of Twilio's directions: inbound, outbound-api, outbound-dial.
func direction(s string) string {
	for _, d := range []string{"inbound", "outbound"} {
		if s == d || strings.HasPrefix(s, d+"-") {
			return d
		}
	}
	return ""
}
