package sandbox

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func FuzzControlMessage(f *testing.F) {
	for _, s := range []string{`{"type":"KeepAlive"}`, `{"type":"Finalize","channel":0}`, `{"type":"CloseStream"}`, `{"type":1}`, `[]`, `{`, ``, `{"type":"x"}`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		it := classify(websocket.TextMessage, b)
		if it.audio != nil || it.control == noControl || it.control == idle {
			t.Errorf("%q: got %+v, want a control message or a bad text", b, it)
		}
		if it.control == badText && it.text == "" {
			t.Errorf("%q: got no reason", b)
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{"", "encoding=linear16&sample_rate=8000", "endpointing=false", "utterance_end_ms=1000", "x_script=1+a", "language=es&lang=en", "%zz", "sample_rate=-1", "a=b;c=d"} {
		f.Add(s)
	}
	o := Options{}.withDefaults()
	f.Fuzz(func(t *testing.T, s string) {
		for _, path := range streamPaths {
			p, err := o.parseParams(&url.URL{Path: path, RawQuery: s})
			if err != nil {
				continue
			}
			if p.SampleRate < minSampleRate || p.SampleRate > maxSampleRate || p.Endpointing > maxEndpointing || p.UtteranceEnd < 0 {
				t.Errorf("%q: got %+v beyond the limits", s, p)
			}
		}
	})
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{"0.5 hello world", "1-2 a b|c; 3 d", "# x\n0 y", "1e300 x", "0-0 zero", "5 a\n1 b", "0 a;0 b;0-9 c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lines, err := ParseScript(s)
		if err != nil {
			return
		}
		r, err := Script(lines...).Open(context.Background(), Params{SampleRate: 8000})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Hear(make([]int16, 8000), false); err != nil {
			t.Fatal(err)
		}
		words, err := r.Final(true)
		if err != nil {
			t.Fatal(err)
		}
		var end time.Duration
		for _, w := range words {
			if w.Text == "" || w.Start < end || w.End < w.Start || w.End > time.Second {
				t.Errorf("%q: got %+v out of order in %+v", s, w, words)
			}
			end = w.End
		}
		e := encoder{profile: ProfileAldea, fault: &Fault{}}
		if m := e.results(result{words: words, end: time.Second}); !json.Valid([]byte(m)) {
			t.Errorf("%q: got no JSON: %s", s, m)
		}
	})
}

func FuzzAudio(f *testing.F) {
	for _, s := range []string{"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00\x01\x02\x03\x04", "\x00", "short", "a longer run of bytes that are no header"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		once, whole := decodeAll(b, len(b))
		again, pieces := decodeAll(b, cut)
		if (whole == nil) != (pieces == nil) || whole == nil && len(once) != len(again) {
			t.Fatalf("got %d samples (%v) at once and %d (%v) in pieces", len(once), whole, len(again), pieces)
		}
		for i := range once {
			if whole == nil && once[i] != again[i] {
				t.Fatalf("sample %d: got %d at once and %d in pieces", i, once[i], again[i])
			}
		}
	})
}

// decodeAll decodes b in pieces of n bytes, without ffmpeg.
func decodeAll(b []byte, n int) ([]int16, error) {
	var all []int16
	in := newInput(Params{SampleRate: 16000}, "-", func(s []int16, _ int) error { all = append(all, s...); return nil })
	defer in.Close()
	n = max(1, n)
	for len(b) > 0 {
		k := min(n, len(b))
		if err := in.Write(context.Background(), b[:k:k]); err != nil {
			return nil, err
		}
		b = b[k:]
	}
	return all, in.Finish(context.Background())
}
