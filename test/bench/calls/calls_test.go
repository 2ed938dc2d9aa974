package main

import (
	"encoding/base64"
	"slices"
	"testing"

	"aldeabridge/codec"
)

// TestNameSurvives sends a call's first audio the way bridge does, and wants the ear to know which call it is.
func TestNameSurvives(t *testing.T) {
	v := newVoices()
	for _, call := range []int{0, 7, 1999, 65535} {
		x, err := codec.NewExpander(16000)
		if err != nil {
			t.Fatal(err)
		}
		e := recognizerStream{}
		for n := range 2 * digits * digitFrames {
			mulaw, err := base64.StdEncoding.DecodeString(string(v.payload(call, n)))
			if err != nil || len(mulaw) != frame {
				t.Fatalf("frame %d has %d samples, %v", n, len(mulaw), err)
			}
			b := appendFrame(nil, opBinary, string(x.Append(nil, mulaw)), true)
			f, rest, ok := parseFrame(b)
			if !ok || len(rest) != 0 {
				t.Fatalf("a frame of %d bytes is not read back", len(b))
			}
			if len(f.payload) == 0 {
				continue
			}
			e.bytes += len(f.payload)
			for e.named < digits && nameSample(e.named) < e.bytes/2 {
				e.name |= digitOf(sampleAt(f.payload, f.mask, nameSample(e.named)-(e.bytes-len(f.payload))/2)) << (4 * e.named)
				e.named++
			}
		}
		if e.name != call {
			t.Errorf("call %d is heard as %d", call, e.name)
		}
	}
}

// TestAddedLatency wants each frame of the window to count once, by when all of it had come.
func TestAddedLatency(t *testing.T) {
	const ms = 1e6
	sent := map[int][]int64{3: {0, 20 * ms, 40 * ms, 60 * ms, 80 * ms}}
	arrivals := map[int][]arrival{3: {{30, 25 * ms}, {60, 50 * ms}, {80, 90 * ms}}}
	speech, all := addedLatency(sent, arrivals, 20*ms, 80*ms)
	if want := []float64{30, 10, 30}; !slices.Equal(all, want) || !slices.Equal(speech, want) { // call 3 begins in mid-speech
		t.Errorf("got %v ms of speech and %v ms of all, want both %v", speech, all, want)
	}
}

// TestOnlyTheWindowCounts wants what was said before and after the window left out.
func TestOnlyTheWindowCounts(t *testing.T) {
	r := sinkReport{Latencies: map[int64]float64{9: 1, 10: 2, 19: 3, 20: 4}}
	got := r.within(10, 20)
	if slices.Sort(got); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("got %v, want those said in [10, 20): 2 and 3", got)
	}
}
