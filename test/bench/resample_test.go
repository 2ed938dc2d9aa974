// Package bench measures the codec beside another library for the same work, in the same run. It is a module of
// its own, so that the library is no dependency of the server.
package bench

import (
	"math"
	"syscall"
	"testing"
	"time"

	"aldeabridge/codec"

	resampling "github.com/tphakala/go-audio-resampler"
)

// frame is 20 ms at 8 kHz.
const frame = 160

func BenchmarkCodecExpander(b *testing.B) {
	e, err := codec.NewExpander(16000)
	if err != nil {
		b.Fatal(err)
	}
	in := make([]byte, frame)
	codec.EncodeMuLaw(in, tone())
	out := make([]byte, 0, 4*frame)
	measure(b, func() { out = e.Append(out[:0], in) })
}

func BenchmarkCodecResampler(b *testing.B) {
	r, err := codec.NewResampler(8000, 16000)
	if err != nil {
		b.Fatal(err)
	}
	in, out := tone(), make([]int16, 0, 2*frame)
	measure(b, func() { out = r.Resample(out[:0], in) })
}

// The library by its two doors, at the preset for speech, which is its nearest to our filter that keeps images
// 80 dB down ("Quick" does not).
func BenchmarkLibraryEngine(b *testing.B) {
	r, err := resampling.NewEngine(8000, 16000, resampling.QualityLow)
	if err != nil {
		b.Fatal(err)
	}
	in := floats()
	measure(b, func() {
		if _, err := r.Process(in); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkLibraryResampler(b *testing.B) {
	r, err := resampling.New(&resampling.Config{
		InputRate: 8000, OutputRate: 16000, Channels: 1, MaxInputSize: frame, EnableSIMD: true,
		Quality: resampling.QualitySpec{Preset: resampling.QualityLow},
	})
	if err != nil {
		b.Fatal(err)
	}
	in := floats()
	measure(b, func() {
		if _, err := r.Process(in); err != nil {
			b.Fatal(err)
		}
	})
}

// measure reports, beside the time on the clock, the time on the processor: that is what compares on a machine that
// has other work too.
func measure(b *testing.B, work func()) {
	b.ReportAllocs()
	before := processor(b)
	for b.Loop() {
		work()
	}
	spent := processor(b) - before
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)*frame/8000/spent.Seconds(), "×realtime")
}

// processor is the time that this process has had on a processor.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func tone() []int16 {
	x := make([]int16, frame)
	for i := range x {
		x[i] = int16(8000 * math.Sin(2*math.Pi*float64(i)/16))
	}
	return x
}

func floats() []float64 {
	x := make([]float64, frame)
	for i, s := range tone() {
		x[i] = float64(s) / 32768
	}
	return x
}
