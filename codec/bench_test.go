package codec_test

import (
	"math"
	"testing"

	"aldeabridge/codec"
)

func BenchmarkExpander(b *testing.B) {
	for _, to := range []codec.Rate{8000, 16000} {
		b.Run(map[codec.Rate]string{8000: "8k", 16000: "16k"}[to], func(b *testing.B) {
			e, err := codec.NewExpander(to)
			if err != nil {
				b.Fatal(err)
			}
			in, out := make([]byte, 160), make([]byte, 0, 640)
			pcm := make([]int16, len(in))
			for i := range pcm {
				pcm[i] = int16(8000 * math.Sin(float64(i)*math.Pi/8))
			}
			codec.EncodeMuLaw(in, pcm)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				out = e.Append(out[:0], in)
			}
		})
	}
}
