package sandbox_test

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"

	"github.com/gorilla/websocket"
)

// spoken is a marker text of two utterances, at 8000 Hz.
func spoken() []int16 {
	return marker.EncodeUtterances([]string{"the first words", "and then some more"}, time.Second)
}

const spokenFinals = "the first words / and then some more"

// wav is samples as a WAV file.
func wav(t *testing.T, samples []int16, rate, channels int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := codec.WriteWAV(&b, codec.Rate(rate), channels, samples); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// transcode lets ffmpeg write the samples in a container.
func transcode(t *testing.T, samples []int16, name string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, name)
	if err := os.WriteFile(in, wav(t, samples, 8000, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	all := append([]string{"-loglevel", "error", "-i", in, "-ar", "48000"}, append(args, out)...)
	if text, err := exec.Command("ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stream sends bytes in small pieces and returns the messages up to the close.
func stream(t *testing.T, srv *sandbox.Server, query string, b []byte) ([]message, error) {
	t.Helper()
	conn, resp, err := try(srv, "/v1/listen", query, key("org_a"))
	if err != nil {
		t.Fatalf("dial with %s: %v %s", query, err, body(resp))
	}
	defer conn.Close()
	c := &client{t: t, conn: conn}
	go func() {
		for len(b) > 0 {
			n := min(1000, len(b))
			if conn.WriteMessage(websocket.BinaryMessage, b[:n]) != nil {
				return // the server refused; the reader sees why
			}
			b = b[n:]
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"CloseStream"}`))
	}()
	return c.rest()
}

func TestSamplesAndWAVAreUnderstood(t *testing.T) { // S4
	samples := spoken()
	mulaw, alaw := make([]byte, len(samples)), make([]byte, len(samples))
	codec.EncodeMuLaw(mulaw, samples)
	codec.EncodeALaw(alaw, samples)
	wide, err := codec.ConvertRate(samples, 8000, 16000)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := codec.ConvertRate(samples, 8000, 44100)
	if err != nil {
		t.Fatal(err)
	}
	stereo := make([]int16, 2*len(wide))
	for i, s := range wide {
		stereo[2*i], stereo[2*i+1] = s, s
	}
	srv := serve(t, sandbox.Options{Source: sandbox.Marker(), G711: true})
	for _, c := range []struct {
		name, query string
		audio       []byte
	}{
		{"linear16 at 8000 Hz", "encoding=linear16&sample_rate=8000", bytes16(samples)},
		{"linear16 at 16000 Hz", "encoding=linear16", bytes16(wide)},
		{"linear16 at 44100 Hz", "encoding=linear16&sample_rate=44100", bytes16(odd)},
		{"samples without a word about it", "", bytes16(wide)},
		{"linear16 in stereo", "encoding=linear16&channels=2", bytes16(stereo)},
		{"linear16 in stereo, on /v1/listen, without a word about it", "channels=2", bytes16(stereo)},
		{"µ-law in stereo", "encoding=mulaw&sample_rate=8000&channels=2", twice(mulaw)},
		{"a WAV that knows its channels better", "channels=2", wav(t, samples, 8000, 1)},
		{"µ-law", "encoding=mulaw&sample_rate=8000", mulaw},
		{"A-law", "encoding=alaw&sample_rate=8000", alaw},
		{"WAV", "", wav(t, samples, 8000, 1)},
		{"WAV named linear16 of another rate", "encoding=linear16&sample_rate=16000", wav(t, samples, 8000, 1)},
		{"WAV in stereo", "encoding=wav", wav(t, stereo, 16000, 2)},
		{"WAV at 44100 Hz", "", wav(t, odd, 44100, 1)},
		{"WAV in FLAC", "", transcode(t, samples, "x.flac")},
	} {
		all, err := stream(t, srv, c.query, c.audio)
		wantClose(t, err, websocket.CloseNormalClosure)
		if got := texts(finals(all)); got != spokenFinals {
			t.Errorf("%s: got %q, want %q", c.name, got, spokenFinals)
		}
		wantOrderlyTimes(t, all)
	}
}

// twice is each byte two times: two channels that are alike.
func twice(b []byte) []byte {
	var all []byte
	for _, c := range b {
		all = append(all, c, c)
	}
	return all
}

func TestChannelsThatCannotBeAreRefused(t *testing.T) {
	srv := serve(t, sandbox.Options{Source: sandbox.Marker()})
	for _, query := range []string{"channels=0", "channels=33", "channels=-1", "channels=x", "encoding=linear16&channels=2.5"} {
		_, resp, err := try(srv, "/v1/listen", query, key("org_a"))
		if err == nil || resp == nil {
			t.Fatalf("%s: got %v, want an answer without an upgrade", query, err)
		}
		resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Errorf("%s: got %v, want 400", query, err)
		}
	}
}

func TestContainersGoThroughFFmpeg(t *testing.T) { // S4
	samples := append(hum(2*time.Second, 8000, 0.5), silence(2*time.Second, 8000)...)
	srv := serve(t, sandbox.Options{Source: sandbox.Simulated("in a test")})
	for _, c := range []struct{ name, query, file string }{
		{"WebM as browsers record it", "", "x.webm"},
		{"WebM by name", "encoding=webm", "x.webm"},
		{"Ogg with Opus", "encoding=opus", "x.opus"},
		{"MP3", "", "x.mp3"},
		{"AAC", "encoding=aac", "x.aac"},
		{"FLAC", "", "x.flac"},
		{"MPEG-4 made for streaming", "", "x.m4a"},
	} {
		args := []string{}
		if strings.HasSuffix(c.file, ".m4a") {
			args = []string{"-movflags", "faststart"}
		}
		b := transcode(t, samples, c.file, args...)
		all, err := stream(t, srv, c.query, b)
		wantClose(t, err, websocket.CloseNormalClosure)
		results := finals(all)
		if len(results) != 1 || !strings.HasPrefix(results[0].text(), "[simulated] speech ") {
			t.Errorf("%s: got %v, want one final", c.name, texts(results))
		}
		wantOrderlyTimes(t, all)
		if got := waitFor(t, srv, ended); math.Abs(got.Audio.Seconds()-4) > 0.2 || got.SampleRate != 16000 {
			t.Errorf("%s: got %v of audio at %d Hz, want about 4 s at 16000", c.name, got.Audio, got.SampleRate)
		}
		status, text, _ := request(t, srv, "POST", "/v1/listen", key("org_a"), string(b))
		if status != 200 || !strings.Contains(text, "[simulated] speech ") {
			t.Errorf("%s by POST: got %d %s", c.name, status, text)
		}
	}
	plain := transcode(t, samples, "y.m4a") // its index is at the end: only a whole file can be read
	if status, text, _ := request(t, srv, "POST", "/v1/listen", key("org_a"), string(plain)); status != 200 || !strings.Contains(text, "[simulated] speech ") {
		t.Errorf("MPEG-4 by POST: got %d %s", status, text)
	}
}

func TestWebMResultsComeWhileTheClientStillSends(t *testing.T) {
	samples := append(hum(2*time.Second, 8000, 0.5), silence(4*time.Second, 8000)...)
	b := transcode(t, samples, "x.webm", "-cluster_time_limit", "250")
	srv := serve(t, sandbox.Options{Source: sandbox.Simulated("in a test")})
	conn, resp, err := try(srv, "/v1/listen", "", key("org_a"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer conn.Close()
	c := &client{t: t, conn: conn}
	c.binary(b)
	got := c.until(func(m message) bool { return m.flag("speech_final") })
	if last := got[len(got)-1]; !strings.HasPrefix(last.text(), "[simulated] speech ") {
		t.Errorf("got %v before the end of the stream, want a final", last)
	}
}

func TestUndecodableAudioIsRefused(t *testing.T) { // S4
	webm := append([]byte("\x1a\x45\xdf\xa3"), bytes.Repeat([]byte("no container "), 1000)...)
	without := serve(t, sandbox.Options{FFmpeg: "-"})
	with := serve(t, sandbox.Options{})
	for _, c := range []struct {
		name   string
		srv    *sandbox.Server
		audio  []byte
		reason string
	}{
		{"WebM without ffmpeg", without, webm, "ffmpeg"},
		{"broken WebM", with, webm, "data0000"},
		{"broken WAV", with, append([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00"), make([]byte, 16)...), "data0000"},
	} {
		_, err := stream(t, c.srv, "", c.audio)
		if reason := wantClose(t, err, websocket.ClosePolicyViolation); !strings.Contains(reason, c.reason) || !strings.Contains(reason, "data0000") {
			t.Errorf("%s: got reason %q, want it to hold %s and data0000", c.name, reason, c.reason)
		}
		if status, text, _ := request(t, c.srv, "POST", "/v1/listen", key("org_a"), string(c.audio)); status != 415 || !strings.Contains(text, `"error"`) {
			t.Errorf("%s by POST: got %d %s, want 415", c.name, status, text)
		}
	}
}

func TestMarkersShowLostAndDoubledAudio(t *testing.T) { // S18
	samples := marker.Encode("one two three four")
	cut := append(append([]int16(nil), samples[:1000]...), samples[1160:]...) // in the first word
	srv := serve(t, sandbox.Options{Source: sandbox.Marker()})
	for _, c := range []struct {
		name    string
		samples []int16
		whole   bool
	}{{"whole", samples, true}, {"a frame lost", cut, false}} {
		all, err := stream(t, srv, "encoding=linear16&sample_rate=8000", bytes16(append(c.samples, silence(time.Second, 8000)...)))
		wantClose(t, err, websocket.CloseNormalClosure)
		if got := texts(finals(all)); (got == "one two three four") != c.whole {
			t.Errorf("%s: got %q", c.name, got)
		}
	}
}
