package media

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// startWith reads a start message with these custom parameters.
func startWith(t *testing.T, params map[string]any) *Start {
	t.Helper()
	b, err := json.Marshal(map[string]any{"event": "start", "start": map[string]any{"callSid": "CA1", "streamSid": "MZ1", "customParameters": params}})
	if err != nil {
		t.Fatal(err)
	}
	var m message
	if err := m.parse(b); err != nil {
		t.Fatal(err)
	}
	return m.start
}

// numbered are n parameters named p000 and so on.
func numbered(n int, value string) map[string]any {
	params := map[string]any{}
	for i := range n {
		params[fmt.Sprintf("p%03d", i)] = value
	}
	return params
}

func TestWhatAStartMessageMakesUsKeepIsBounded(t *testing.T) {
	for _, c := range []struct {
		name    string
		params  map[string]any
		kept    int
		leftOut int
	}{
		{"as many as Twilio sends", numbered(30, strings.Repeat("x", 490)), 30, 0},
		{"a hundred", numbered(100, "x"), 100, 0},
		{"more than a hundred", numbered(1000, "x"), 100, 900},
		{"16 kB", numbered(4, strings.Repeat("x", 4092)), 4, 0},
		{"more than 16 kB", numbered(60, strings.Repeat("x", 1000)), 16, 44},
		{"60 kB of what becomes longer in JSON", numbered(60, strings.Repeat("\x00", 1000)), 2, 58},
		{"quotes", numbered(60, strings.Repeat(`"`, 1000)), 8, 52},
		{"letters of two bytes", numbered(60, strings.Repeat("ü", 500)), 16, 44},
		{"a long value", map[string]any{"a": strings.Repeat("x", 4096), "b": "y"}, 1, 1},
		{"a long name", map[string]any{strings.Repeat("x", 257): "y", "b": "y"}, 1, 1},
		{"what is no text", map[string]any{"a": []int{1}, "b": map[string]int{}, "c": nil}, 0, 0},
	} {
		st := startWith(t, c.params)
		if len(st.Params) != c.kept || st.leftOut != c.leftOut {
			t.Errorf("%s: got %d kept and %d left out, want %d and %d", c.name, len(st.Params), st.leftOut, c.kept, c.leftOut)
		}
		b, err := json.Marshal(st.Params)
		if err != nil || len(b) > maxParamSum+maxParams*len(`"":"",`)+2 {
			t.Errorf("%s: the parameters have %d bytes as JSON, %v", c.name, len(b), err)
		}
	}
}

func TestOtherParametersDoNotDisplaceThoseOfTheVoiceWebhook(t *testing.T) {
	params := numbered(100, strings.Repeat("x", 4000))
	for _, name := range []string{"from", "to", "direction", "bridge_token"} {
		params[name] = "inbound"
	}
	st := startWith(t, params)
	if st.From != "inbound" || st.To != "inbound" || st.Direction != "inbound" || st.token != "inbound" || len(st.Params) != 4 {
		t.Errorf("got %q, %q, %q, %q and %d others", st.From, st.To, st.Direction, st.token, len(st.Params))
	}
}

func TestTracksAndFormatAreBounded(t *testing.T) {
	tracks := `["inbound","inbound_track"` + strings.Repeat(`,"outbound","x","`+strings.Repeat("y", 100)+`"`, 300) + `]`
	if got := parseTracks(json.RawMessage(tracks)); !slices.Equal(got, []Track{TrackInbound, TrackOutbound}) {
		t.Errorf("got tracks %v, want both, once", got)
	}
	for encoding, want := range map[string]string{
		"audio/L16": "audio/l16", "audio/opus": "audio/opus", strings.Repeat("x", 65): "unknown", "": "unknown", "a\u202eb": "unknown", "Attn: you": "unknown",
	} {
		b, _ := json.Marshal(map[string]string{"encoding": encoding})
		o, _ := parseObject(b)
		if got := parseFormat(o).Encoding; got != want {
			t.Errorf("%q: got %q, want %q", encoding, got, want)
		}
	}
}
