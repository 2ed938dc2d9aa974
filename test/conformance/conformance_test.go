package conformance_test

import (
	"os"
	"testing"

	"aldeabridge/aldea"
	"aldeabridge/codec"
	"aldeabridge/test/conformance"
)

func TestTheSandboxConforms(t *testing.T) {
	conformance.Run(t, conformance.Sandbox())
}

// The same against a real service, when ALDEA_API_KEY has a key for it; ALDEA_URL says where it is, and ALDEA_SPEECH
// names a WAV file with English speech.
func TestTheServiceConforms(t *testing.T) {
	key := os.Getenv("ALDEA_API_KEY")
	if key == "" {
		t.Log("no ALDEA_API_KEY: only the sandbox was tried")
		return
	}
	url := os.Getenv("ALDEA_URL")
	if url == "" {
		url = "wss://api.aldea.ai"
	}
	conformance.Run(t, conformance.Service(aldea.Config{URL: url, Key: aldea.Secret(key), AllowPlaintext: true}, speech(t)))
}

// speech reads the speech from the file.
func speech(t *testing.T) []byte {
	t.Helper()
	name := os.Getenv("ALDEA_SPEECH")
	if name == "" {
		name = "../../cmd/bridge/voice/caller.wav"
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wav, err := codec.ReadWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := codec.ConvertRate(wav.Mono(), wav.Rate, 8000)
	if err != nil {
		t.Fatal(err)
	}
	mulaw := make([]byte, len(samples))
	codec.EncodeMuLaw(mulaw, samples)
	return mulaw
}
