package codec_test

import (
	"bytes"
	"fmt"
	"strings"

	"aldeabridge/codec"
)

// A frame of a call on its way to a recognizer.
func ExampleExpander() {
	e, err := codec.NewExpander(16000)
	if err != nil {
		fmt.Println(err)
		return
	}
	frame := bytes.Repeat([]byte{codec.MuLawSilence}, 160) // 20 ms as a carrier sends it
	linear16 := make([]byte, 0, 640)                       // used again for each frame
	linear16 = e.Append(linear16[:0], frame)
	fmt.Println(len(linear16), "bytes,", e.Delay(), "later")
	// Output: 640 bytes, 2.0625ms later
}

// Synthesized speech at 24 kHz on its way to a caller.
func ExampleResampler() {
	r, err := codec.NewResampler(24000, 8000)
	if err != nil {
		fmt.Println(err)
		return
	}
	speech := make([]int16, 480) // 20 ms
	pcm := r.Resample(nil, speech)
	mulaw := make([]byte, len(pcm))
	codec.EncodeMuLaw(mulaw, pcm)
	fmt.Println(len(mulaw), "bytes")
	// Output: 160 bytes
}

func ExampleNewResampler_impossible() {
	_, err := codec.NewResampler(8000, 44100)
	fmt.Println(err)
	// Output: codec: resample 8000 to 44100 Hz: codec: sample rate not possible: possible are 8000 to 16000, 16000 to 8000, 24000 to 8000, 48000 to 8000, and equal rates
}

func ExampleReadWAV() {
	var file bytes.Buffer
	if err := codec.WriteWAV(&file, 44100, 2, make([]int16, 2*44100)); err != nil {
		fmt.Println(err)
		return
	}
	w, err := codec.ReadWAV(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	mono, err := codec.ConvertRate(w.Mono(), w.Rate, 8000)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.Rate, "Hz,", w.Channels, "channels; as a call:", len(mono), "samples")

	_, err = codec.ReadWAV(strings.NewReader("OggS…"))
	fmt.Println(err)
	// Output:
	// 44100 Hz, 2 channels; as a call: 8000 samples
	// not a WAV file but Ogg (ffmpeg -i IN OUT.wav makes one)
}
