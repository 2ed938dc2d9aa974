package voicetest

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"

	"aldeabridge/codec"
)

// A service is what the services differ in.
type service struct {
	name   string
	header string // that has the key
	prefix string // of the key
	text   string // the field of the request's body
	// check says what is wrong with a request.
	check func(Request) string
	// error is an error's body. The message is JSON.
	error func(message string) string
	// say is the answer's content type and body, in pieces.
	say func(Request) (string, [][]byte)
}

// services are by the pattern of their path. They must not be changed. Their JSON is written by hand: what both sides shared would
// agree with itself.
var services = map[string]service{
	"/v1/audio/speech": {
		name: "openai", header: "Authorization", prefix: "Bearer ", text: "input",
		check: func(r Request) string { return r.want("model", "voice", "input", "response_format") },
		error: func(m string) string {
			return `{"error":{"message":` + m + `,"type":"invalid_request_error","param":null,"code":null}}`
		},
		say: func(r Request) (string, [][]byte) {
			pcm := codec.AppendLinear16(nil, Tone(r.Text, 24000))
			if r.Body["response_format"] == "wav" {
				return "audio/wav", cut(append(streamedWAV(24000), pcm...), 6*chunk)
			}
			return "audio/pcm", cut(pcm, 6*chunk)
		},
	},
	"/tts/bytes": {
		name: "cartesia", header: "Authorization", prefix: "Bearer ", text: "transcript",
		check: func(r Request) string {
			if r.Header.Get("Cartesia-Version") == "" {
				return "Cartesia-Version is missing"
			}
			if f, _ := r.Body["output_format"].(map[string]any); f["container"] != "raw" || f["encoding"] != "pcm_mulaw" || f["sample_rate"] != 8000.0 {
				return "output_format is not one this stand-in has"
			}
			if v, _ := r.Body["voice"].(map[string]any); v["mode"] != "id" || v["id"] == "" {
				return "voice needs mode and id"
			}
			return r.want("model_id", "transcript")
		},
		error: func(m string) string {
			return `{"error_code":"refused","title":"Refused","message":` + m + `,"request_id":"550e8400-e29b-41d4-a716-446655440000"}`
		},
		say: func(r Request) (string, [][]byte) { return "audio/raw", cut(MuLaw(r.Text), chunk) },
	},
	"/v1/speak": {
		name: "deepgram", header: "Authorization", prefix: "Token ", text: "text",
		check: func(r Request) string {
			for k, v := range map[string]string{"encoding": "mulaw", "sample_rate": "8000", "container": "none"} {
				if !slices.Equal(r.Query[k], []string{v}) {
					return k + " is not one this stand-in has"
				}
			}
			if len(r.Query["model"]) != 1 {
				return "model is missing"
			}
			return r.want("text")
		},
		error: func(m string) string {
			return `{"err_code":"REFUSED","err_msg":` + m + `,"request_id":"550e8400-e29b-41d4-a716-446655440000"}`
		},
		say: func(r Request) (string, [][]byte) { return "audio/mulaw;rate=8000", cut(MuLaw(r.Text), chunk) },
	},
	"/v1/text-to-speech/{voice}/stream": {
		name: "elevenlabs", header: "Xi-Api-Key", text: "text", check: checkElevenLabs, error: elevenLabsError,
		say: func(r Request) (string, [][]byte) { return "audio/basic", cut(elevenLabsAudio(r), chunk) },
	},
	"/v1/text-to-speech/{voice}/stream/with-timestamps": {
		name: "elevenlabs", header: "Xi-Api-Key", text: "text", check: checkElevenLabs, error: elevenLabsError, say: sayAligned,
	},
}

func checkElevenLabs(r Request) string {
	if f := r.Query["output_format"]; !slices.Equal(f, []string{"ulaw_8000"}) && !slices.Equal(f, []string{"pcm_16000"}) {
		return "output_format is not one this stand-in has"
	}
	return r.want("text", "model_id")
}

func elevenLabsError(m string) string { return `{"detail":{"status":"refused","message":` + m + `}}` }

func elevenLabsAudio(r Request) []byte {
	if slices.Contains(r.Query["output_format"], "pcm_16000") {
		return codec.AppendLinear16(nil, Tone(r.Text, 16000))
	}
	return MuLaw(r.Text)
}

// sayAligned says one character a line.
func sayAligned(r Request) (string, [][]byte) {
	audio := elevenLabsAudio(r)
	runes := []rune(r.Text)
	size := len(audio) / len(runes)
	var lines [][]byte
	for i, c := range runes {
		lines = append(lines, fmt.Appendf(nil,
			`{"audio_base64":"%s","alignment":{"characters":[%s],"character_start_times_seconds":[%g],"character_end_times_seconds":[%g]},"normalized_alignment":null}`+"\n\n",
			base64.StdEncoding.EncodeToString(audio[i*size:(i+1)*size]), quote(string(c)), float64(i)*perRune, float64(i+1)*perRune))
	}
	return "application/json", lines
}

// want says which of the fields, all strings, are missing.
func (r Request) want(fields ...string) string {
	for _, f := range fields {
		if s, _ := r.Body[f].(string); strings.TrimSpace(s) == "" {
			return f + " is missing"
		}
	}
	return ""
}

// perRune is how long a character takes, in seconds.
const perRune = 0.05

// Tone is what the services say for a text, mono: 440 Hz, 50 ms for each character.
func Tone(text string, rate int) []int16 {
	out := make([]int16, int(perRune*float64(rate))*len([]rune(text)))
	for i := range out {
		out[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/float64(rate)))
	}
	return out
}

// MuLaw is Tone at 8000 Hz in µ-law.
func MuLaw(text string) []byte {
	pcm := Tone(text, 8000)
	b := make([]byte, len(pcm))
	codec.EncodeMuLaw(b, pcm)
	return b
}

// streamedWAV is a WAV header of PCM, mono, by a writer that does not know the length.
func streamedWAV(rate int) []byte {
	le := func(n, size int) string {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(n >> (8 * i))
		}
		return string(b)
	}
	return []byte("RIFF\xff\xff\xff\xffWAVEfmt " + le(16, 4) + le(1, 2) + le(1, 2) + le(rate, 4) + le(2*rate, 4) + le(2, 2) + le(16, 2) + "data\xff\xff\xff\xff")
}

// cut cuts b into pieces.
func cut(b []byte, size int) [][]byte { return slices.Collect(slices.Chunk(b, size)) }
