package media

// A Track is one direction of a call's audio.
type Track uint8

// The tracks of a call.
const (
	TrackInbound  Track = iota // from the caller
	TrackOutbound              // to the caller
	trackCount
)

// String returns the carrier's name of the track: "inbound" or "outbound".
func (t Track) String() string {
	switch t {
	case TrackInbound:
		return "inbound"
	case TrackOutbound:
		return "outbound"
	}
	return "unknown"
}

// parseTrack parses a track's name. Twilio writes "inbound" in media messages and "inbound_track" in dtmf
// messages. A missing name means the inbound track, the only track of a two-way stream.
func parseTrack(name []byte) (Track, bool) {
	switch string(name) {
	case "inbound", "inbound_track", "":
		return TrackInbound, true
	case "outbound", "outbound_track":
		return TrackOutbound, true
	}
	return 0, false
}
