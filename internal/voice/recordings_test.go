package voice

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"aldeabridge/codec"
	"aldeabridge/internal/egress"
	"aldeabridge/internal/voice/voicetest"
)

func TestPlayTakesRecordingsAsPeopleHaveThem(t *testing.T) {
	wav := wavOf(t, 8000, tone(8000))
	chunk := func(name string, size int) []byte {
		return append([]byte{name[0], name[1], name[2], name[3], byte(size), byte(size >> 8), byte(size >> 16), 0}, make([]byte, size+size%2)...)
	}
	art := append(append(bytes.Clone(wav[:12]), chunk("id3 ", 300_001)...), wav[12:]...)
	for _, c := range []struct {
		name, path, kind string
		body             []byte
		want             string // of an error; empty: a second of tone
	}{
		{"large chunks", "/a.wav", "audio/wav", art, ""},
		{"text/plain", "/a.wav", "text/plain; charset=utf-8", wav, ""},
		{"audio/mpeg", "/a.mp3", "audio/mpeg", wav, ""},
		{"application/json", "/a", "application/json", wav, ""},
		{"audio/basic", "/a.ulaw", "audio/basic", wav, ""},
		{"cut", "/a.wav", "audio/wav", streamed(wav, "\x24\x7D\x00\x00", "\x00\x7D\x00\x00"), ""},
		{"a length of 2,000,000,000", "/a.wav", "audio/wav", streamed(wav, "\x24\x94\x35\x77", "\x00\x94\x35\x77"), ""},
		{"something behind", "/a.wav", "audio/wav", append(bytes.Clone(wav), "trailer"...), ""},
		{"MP3 as audio/basic", "/a", "audio/basic", mp3(), "it is MP3"},
		{"MP3 as .ulaw", "/a.ulaw", "application/octet-stream", mp3(), "it is MP3"},
		{"MP3 as WAV", "/a.wav", "audio/wav", mp3(), "it is MP3"},
		{"an error as .ulaw", "/a.ulaw", "application/octet-stream", []byte(quota), "it is JSON, not audio"},
		{"an error after half", "/a.ulaw", "application/octet-stream", append(voicetest.MuLaw("hello"), quota...), "a message follows the audio"},
		{"an error page as audio/basic", "/a", "audio/basic", []byte("<Error><Code>AccessDenied</Code></Error>"), "it is XML or HTML"},
		{"a header and nothing else", "/a.wav", "audio/wav", wav[:44], "no audio in it"},
	} {
		srv := httptest.NewServer(answer{kind: c.kind, body: c.body})
		got, err := fetch(t, FetcherConfig{}, srv.URL+c.path)
		srv.Close()
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
			}
		case err != nil || len(got) != 8000 || amplitude(got) < 9700:
			t.Errorf("%s: got %d bytes, %v; want the tone", c.name, len(got), err)
		}
	}
}

// A packed recording counts by what it becomes.
func TestFetchBoundsWhatIsPacked(t *testing.T) {
	srv := httptest.NewServer(answer{kind: "audio/basic", coding: "gzip", body: packed(t, "gzip", make([]byte, 1<<20))})
	defer srv.Close()
	if got, err := fetch(t, FetcherConfig{MaxBytes: 100_000}, srv.URL); err == nil || !strings.Contains(err.Error(), "too long: at most 100000") || len(got) > 100_000 {
		t.Errorf("got %d bytes, %v; want it refused behind 100000", len(got), err)
	}
	if got, err := fetch(t, FetcherConfig{}, srv.URL); err != nil || len(got) != 1<<20 {
		t.Errorf("got %d bytes, %v; want it unpacked", len(got), err)
	}
}

// A WAV file may not make many filters.
func TestReaderBoundsChangesOfTheRate(t *testing.T) {
	var all []byte
	for i := range maxTurns + 1 {
		all = append(all, wavOf(t, codec.Rate(8001+i), make([]int16, 10))...)
	}
	_, err := io.ReadAll(NewReader(bytes.NewReader(all), Format{}))
	if err == nil || !strings.Contains(err.Error(), "rate changes more than 16 times") {
		t.Errorf("got %v, want the changes bounded", err)
	}
}

// The guard of egress is that of each redirect too.
func TestFetchFollowsFewRedirects(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("/%d", asked.Add(1)), http.StatusFound)
	}))
	defer srv.Close()
	if _, err := fetch(t, FetcherConfig{Guard: egress.Guard{}}, srv.URL); err == nil || asked.Load() != maxRedirects+1 {
		t.Errorf("got %v after %d requests, want %d", err, asked.Load(), maxRedirects+1)
	}
}
