package voice

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"aldeabridge/codec"
	"aldeabridge/internal/voice/voicetest"
)

// An answer is what a server sends with 200.
type answer struct {
	kind, coding string
	body         []byte
}

func (a answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	if a.coding != "" {
		w.Header().Set("Content-Encoding", a.coding)
	}
	_, _ = w.Write(a.body)
}

// speakers are services whose next answer is given as it is: they ask for PCM at 24000 Hz, WAV, µ-law, and µ-law in lines.
func speakers(t *testing.T, url string) map[string]Engine {
	t.Helper()
	c := ServiceConfig{BaseURL: url, Key: "k3y"}
	engines := map[string]Engine{}
	for name, make := range map[string]func() (Engine, error){
		"pcm":   func() (Engine, error) { return NewOpenAI(OpenAIConfig{ServiceConfig: c}) },
		"wav":   func() (Engine, error) { return NewOpenAI(OpenAIConfig{ServiceConfig: c, Format: "wav"}) },
		"mulaw": func() (Engine, error) { return NewDeepgram(DeepgramConfig{c}) },
		"lines": func() (Engine, error) { return NewElevenLabs(ElevenLabsConfig{ServiceConfig: c}) },
	} {
		e, err := make()
		if err != nil {
			t.Fatal(err)
		}
		engines[name] = e
	}
	return engines
}

// lower sets how many bytes of an answer a service takes.
func lower(e Engine, most int64) {
	switch e := e.(type) {
	case *openAI:
		e.most = most
	case *deepgram:
		e.most = most
	case *elevenLabs:
		e.most = most
	}
}

// wavOf is a WAV file of 16-bit PCM.
func wavOf(t testing.TB, rate codec.Rate, samples []int16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := codec.WriteWAV(&b, rate, 1, samples); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// streamed is a WAV file whose lengths are those given.
func streamed(wav []byte, riff, data string) []byte {
	wav = bytes.Clone(wav)
	copy(wav[4:], riff)
	copy(wav[40:], data)
	return wav
}

// mp3 is half a second of a 440 Hz tone as an encoder makes it: MPEG-2 layer III, without a tag.
func mp3() []byte {
	frame := append([]byte("\xFF\xF3\x64\xC4"), bytes.Repeat([]byte{0x5A, 0xA5, 0x11}, 47)...)
	return bytes.Repeat(frame[:144], 20)
}

const (
	ones  = "\xFF\xFF\xFF\xFF"
	quota = `{"detail":{"status":"quota_exceeded","message":"This request exceeds your quota"}}`
)

// Each of these was once played, told of as heard, and kept. None may be; asked again, the service is well and is heard.
func TestBadSpeechIsToldAndNotKept(t *testing.T) {
	pcm := codec.AppendLinear16(nil, tone(24000))
	mulaw := voicetest.MuLaw("one two three four")
	wav := wavOf(t, 24000, tone(24000))
	line := func(b []byte) string {
		return `{"audio_base64":"` + base64.StdEncoding.EncodeToString(b) + `","alignment":null}` + "\n"
	}
	aligned := `{"audio_base64":"//8=","alignment":{"characters":["o","n","e"," "],"character_start_times_seconds":[0,1,2,3],"character_end_times_seconds":[1,2,3,4]}}` + "\n"
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	well := map[string]answer{
		"pcm": {kind: "audio/pcm", body: pcm}, "wav": {kind: "audio/wav", body: wav},
		"mulaw": {kind: "audio/mulaw", body: mulaw}, "lines": {kind: "application/json", body: []byte(line(mulaw))},
	}
	for _, c := range []struct {
		name, engine string
		bad          answer
		want         string
	}{
		{"an error line after half", "lines", answer{body: []byte(line(mulaw[:4000]) + quota + "\n")}, "a message came instead of audio: This request exceeds your quota"},
		{"an error line of another form", "lines", answer{body: []byte(line(mulaw[:4000]) + `{"status":"busy"}` + "\n")}, "a message came instead of audio"},
		{"an error and audio in one line", "lines", answer{body: []byte(`{"audio_base64":"//8=","error":"interrupted"}`)}, "a message came instead of audio: interrupted"},
		{"only an error line", "lines", answer{body: []byte(quota)}, "This request exceeds your quota"},
		{"half a line", "lines", answer{body: []byte(line(mulaw)[:5000])}, "not the JSON of audio"},
		{"lines that end early", "lines", answer{body: []byte(aligned)}, "cut short: 3 of the 15 letters"},
		{"MP3 in lines", "lines", answer{body: []byte(line(mp3()))}, "it is MP3, whatever it is called"},
		{"an error after half, PCM", "pcm", answer{body: join(pcm[:24000], []byte(quota))}, "a message follows the audio, as of a service that fails: This request exceeds your quota"},
		{"an error after half, µ-law", "mulaw", answer{body: join(mulaw[:4000], []byte("\r\n"+quota+"\r\n"))}, "This request exceeds your quota"},
		{"a page after half, WAV", "wav", answer{body: join(streamed(wav, ones, ones)[:20000], []byte("<html><body>502 Bad Gateway</body></html>"))}, "a message follows the audio"},
		{"an error behind a whole WAV file", "wav", answer{body: join(wav, []byte(quota))}, "bytes behind the samples"},
		{"a header and nothing else", "wav", answer{body: streamed(wav, ones, ones)[:44]}, "no audio in it"},
		{"a header and nothing else, 0", "wav", answer{body: streamed(wav, "\x24\x00\x00\x00", "\x00\x00\x00\x00")[:44]}, "no audio in it"},
		{"half a header", "wav", answer{body: wav[:30]}, "broken WAV file: it ends"},
		{"a WAV file cut short", "wav", answer{body: wav[:20000]}, "cut short: 28044 of its 48000 bytes are missing"},
		{"a WAV file cut short, asked for PCM", "pcm", answer{body: wav[:20000]}, "cut short"},
		{"a WAV file cut inside a sample", "wav", answer{body: streamed(wav, ones, ones)[:20001]}, "ends inside a sample"},
		{"PCM cut inside a sample", "pcm", answer{body: pcm[:20001]}, "ends inside a sample"},
		{"the second of two WAV files cut", "wav", answer{body: join(wav, wav[:20000])}, "cut short"},
		{"the first of two WAV files cut", "wav", answer{body: join(wav[:20000], wav)}, "cut short"},
		{"the second of two WAV files cut in its header", "wav", answer{body: join(wav, wav[:20])}, "broken WAV file: it ends"},
		{"samples that the header does not count", "wav", answer{body: join(wav, pcm)}, "bytes behind the samples"},
		{"MP3", "pcm", answer{body: mp3()}, "it is MP3, whatever it is called; WAV, or raw"},
		{"MP3 as audio/wav", "wav", answer{kind: "audio/wav", body: mp3()}, "it is MP3"},
		{"MP3 without a type", "pcm", answer{kind: "application/octet-stream", body: mp3()}, "it is MP3"},
		{"MP3 that says so", "pcm", answer{kind: "audio/mpeg", body: mp3()}, "audio/mpeg cannot be played"},
		{"MP3 in a WAV header of PCM", "wav", answer{body: join(streamed(wav, ones, ones)[:44], mp3())}, "it is MP3"},
		{"MP3 as µ-law", "mulaw", answer{body: mp3()}, "it is MP3"},
		{"Opus", "pcm", answer{body: []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00OpusHead")}, "it is Ogg"},
		{"FLAC", "pcm", answer{body: []byte("fLaC\x00\x00\x00\x22\x10\x00\x10\x00")}, "it is FLAC"},
		{"AAC", "mulaw", answer{body: bytes.Repeat([]byte("\xFF\xF1\x50\x80\x01\x7F\xFCabcd"), 9)}, "it is AAC"},
		{"M4A", "pcm", answer{body: []byte("\x00\x00\x00\x1CftypM4A \x00\x00\x02\x00")}, "it is MP4"},
		{"WebM", "pcm", answer{body: []byte("\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\xF7\x81")}, "it is WebM"},
		{"gzip without a word", "pcm", answer{body: []byte("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\xFF")}, "it is gzip"},
		{"JSON", "pcm", answer{body: []byte(quota)}, "it is JSON, not audio: This request exceeds your quota"},
		{"JSON that says so", "pcm", answer{kind: "application/json", body: []byte(quota)}, "application/json is not audio; WAV, or raw µ-law, A-law or 16-bit PCM with its own content type (audio/PCMU, audio/PCMA, audio/L16;rate=…) can be played: This request exceeds your quota"},
		{"HTML", "mulaw", answer{body: []byte("<!DOCTYPE html><title>Welcome to nginx</title>")}, "it is HTML"},
		{"XML", "mulaw", answer{body: []byte(`<?xml version="1.0" encoding="UTF-8"?><Error/>`)}, "it is XML"},
		{"the WAV file as text", "wav", answer{body: []byte(base64.StdEncoding.EncodeToString(wav))}, "it is base64"},
		{"GSM", "wav", answer{body: []byte("RIFF\x34\x00\x00\x00WAVEfmt \x14\x00\x00\x00\x31\x00\x01\x00\x40\x1f\x00\x00\x59\x06\x00\x00\x41\x00\x00\x00\x02\x00\x40\x01")}, "not supported: GSM 6.10"},
		{"packed by Brotli", "pcm", answer{coding: "br", body: pcm}, `packed (Content-Encoding: "br")`},
		{"packed twice", "pcm", answer{coding: "gzip, gzip", body: pcm}, `packed (Content-Encoding: "gzip, gzip")`},
		{"said to be packed", "pcm", answer{coding: "gzip", body: pcm}, "cannot be unpacked"},
		{"packed and cut", "pcm", answer{coding: "gzip", body: packed(t, "gzip", pcm)[:200]}, "the connection broke in the middle of the audio"},
		{"packed zeros without end", "pcm", answer{coding: "gzip", body: packed(t, "gzip", make([]byte, 1<<20))}, "too long: at most 100000 bytes"},
		{"audio without end", "mulaw", answer{body: bytes.Repeat([]byte{0xFE}, 1<<20)}, "too long: at most 100000 bytes"},
		{"lines without end", "lines", answer{body: bytes.Repeat([]byte("\n"), 1<<20)}, "too long: at most 100000 bytes"},
		{"nothing", "pcm", answer{}, "no audio in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.bad.kind == "" {
				c.bad.kind = well[c.engine].kind
			}
			var asked atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == 1 {
					c.bad.ServeHTTP(w, r)
				} else {
					well[c.engine].ServeHTTP(w, r)
				}
			}))
			defer srv.Close()
			e := speakers(t, srv.URL)[c.engine]
			lower(e, 100_000)
			s := NewSpeaker(e, newCache(t, t.TempDir(), 0))
			defer s.Close()
			_, err := spoken(t, s, "one two three four")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q in it", err, c.want)
			}
			if s.cache.Size() != 0 {
				t.Error("it is kept")
			}
			for range 2 {
				if got, err := spoken(t, s, "one two three four"); err != nil || len(got) < 6000 {
					t.Errorf("asked again: got %d bytes, %v", len(got), err)
				}
			}
			if n := asked.Load(); n != 2 {
				t.Errorf("got %d requests, want one for the bad answer and one for the good", n)
			}
		})
	}
}

// spoken is what a Speaker makes of a text.
func spoken(t *testing.T, s *Speaker, text string) ([]byte, error) {
	t.Helper()
	a, err := s.Say(context.Background(), Request{Text: text})
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Close() }()
	return drain(t, a)
}

// packed is b under a content coding.
func packed(t testing.TB, coding string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	default:
		w, _ = flate.NewWriter(&out, flate.BestSpeed) // the level is one
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What is odd but whole is heard to its end, and kept.
func TestOddSpeechIsHeard(t *testing.T) {
	pcm := codec.AppendLinear16(nil, tone(24000))
	wav := wavOf(t, 24000, tone(24000))
	for _, c := range []struct {
		name, engine string
		answer       answer
		seconds      int
	}{
		{"three WAV files", "wav", answer{body: bytes.Repeat(wav, 3)}, 3},
		{"three WAV files without lengths", "wav", answer{body: bytes.Repeat(streamed(wav, ones, ones), 3)}, 3},
		{"two WAV files of two rates", "pcm", answer{body: append(wav[:len(wav):len(wav)], wavOf(t, 8000, tone(8000))...)}, 2},
		{"a length of 0", "wav", answer{body: streamed(wav, "\x00\x00\x00\x00", "\x00\x00\x00\x00")}, 1},
		{"a length of 1 GiB", "wav", answer{body: streamed(wav, "\x24\x00\x00\x40", "\x00\x00\x00\x40")}, 1},
		{"a length of 2,000,000,000", "wav", answer{body: streamed(wav, "\x24\x94\x35\x77", "\x00\x94\x35\x77")}, 1},
		{"zeros behind", "wav", answer{body: append(wav[:len(wav):len(wav)], make([]byte, 512)...)}, 1},
		{"a WAV file as text/plain", "wav", answer{kind: "text/plain", body: wav}, 1},
		{"a WAV file as audio/mpeg", "pcm", answer{kind: "audio/mpeg", body: wav}, 1},
		{"PCM as audio/mpeg", "pcm", answer{kind: "audio/mpeg", body: pcm}, 1},
		{"gzip", "pcm", answer{coding: "gzip", body: packed(t, "gzip", pcm)}, 1},
		{"deflate", "pcm", answer{coding: "deflate", body: packed(t, "zlib", pcm)}, 1},
		{"bare deflate", "pcm", answer{coding: "deflate", body: packed(t, "flate", pcm)}, 1},
		{"not packed, and said so", "pcm", answer{coding: "identity", body: pcm}, 1},
	} {
		if c.answer.kind == "" {
			c.answer.kind = "audio/wav"
		}
		srv := httptest.NewServer(c.answer)
		s := NewSpeaker(speakers(t, srv.URL)[c.engine], newCache(t, t.TempDir(), 0))
		got, err := spoken(t, s, "one two three four")
		if n := len(got) - 8000*c.seconds; err != nil || n < 0 || n > 48*c.seconds {
			t.Errorf("%s: got %d bytes, %v; want %d s", c.name, len(got), err, c.seconds)
		} else if a := amplitude(got[len(got)-8000:]); a < 9700 || a > 10300 {
			t.Errorf("%s: the last second is a tone of amplitude %.0f, want 10000", c.name, a)
		}
		s.Close()
		if s.cache.Size() == 0 {
			t.Errorf("%s: it is not kept", c.name)
		}
		srv.Close()
	}
}
