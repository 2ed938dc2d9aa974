package voice

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"aldeabridge/internal/voice/voicetest"
)

func TestAlignedBoundsTimes(t *testing.T) {
	one := `{"audio_base64":"//8=","alignment":{"characters":[` + strings.Repeat(`"a",`, 999) + `"a"],"character_start_times_seconds":[` +
		strings.Repeat("0,", 999) + `0],"character_end_times_seconds":[` + strings.Repeat("1,", 999) + "1]}}\n"
	_, err := io.ReadAll(newAligned(strings.NewReader(strings.Repeat(one, maxCharacters/1000+1)), MuLaw, "a"))
	if err == nil || !strings.Contains(err.Error(), "times of more than 80000 characters") {
		t.Errorf("got %v, want the times bounded", err)
	}
}

// A document is only taken for one where it is one, and audio is not changed by looking for it.
func TestAudioIsNoDocument(t *testing.T) {
	for name, b := range map[string][]byte{
		"brackets":          append([]byte("xx"), bytes.Repeat([]byte(`{"`), 6000)...),
		"a bracket":         append(voicetest.MuLaw("hello"), '{'),
		"an empty object":   append(voicetest.MuLaw("hello"), `{ }`...),
		"half an object":    append(voicetest.MuLaw("hello"), `{"error":"x`...),
		"an object between": append([]byte(`xx{"error":"12345"}`), voicetest.MuLaw("hello")...),
	} {
		for how, r := range map[string]io.Reader{"whole": bytes.NewReader(b), "byte by byte": iotest.OneByteReader(bytes.NewReader(b))} {
			if got, err := io.ReadAll(NewReader(r, MuLaw)); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%s, %s: got %d bytes of %d, %v", name, how, len(got), len(b), err)
			}
		}
	}
}
