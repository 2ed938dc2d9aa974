package voice

import (
	"bytes"
	"context"
	"io"
	"testing"

	"aldeabridge/codec"
)

func BenchmarkConvert22050(b *testing.B) {
	pcm := codec.AppendLinear16(nil, tone(22050))
	b.SetBytes(int64(len(pcm)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(bytes.NewReader(pcm), Linear16(22050))); err != nil {
			b.Fatal(err)
		}
	}
}

// firstByte is the time from Say to the first audio.
func firstByte(b *testing.B, s *Speaker) {
	b.Helper()
	defer s.Close()
	const text = "Welcome to the bank. Your balance is one hundred and twenty three pounds. What else can I do for you today?"
	for b.Loop() {
		a, err := s.Say(context.Background(), Request{Text: text})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := a.Next(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for err == nil {
			_, err = a.Next(context.Background())
		}
		_ = a.Close()
		b.StartTimer()
	}
}

func BenchmarkFirstByteESpeak(b *testing.B) {
	e, err := NewESpeak(ESpeakConfig{})
	if err != nil {
		b.Fatal(err)
	}
	firstByte(b, NewSpeaker(e, nil))
}

func BenchmarkFirstByteFlite(b *testing.B) {
	for _, voice := range []string{"slt", "kal"} {
		b.Run(voice, func(b *testing.B) {
			e, err := NewFlite(FliteConfig{Voice: voice})
			if err != nil {
				b.Fatal(err)
			}
			firstByte(b, NewSpeaker(e, nil))
		})
	}
}

func BenchmarkFirstByteCached(b *testing.B) {
	e, err := NewESpeak(ESpeakConfig{})
	if err != nil {
		b.Fatal(err)
	}
	c, err := NewCache(b.TempDir(), 0)
	if err != nil {
		b.Fatal(err)
	}
	s := NewSpeaker(e, c)
	firstByte(b, s)
	if len(c.entries) != 1 {
		b.Errorf("got %d entries, want 1", len(c.entries))
	}
}
