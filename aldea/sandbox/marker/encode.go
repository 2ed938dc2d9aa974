package marker

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// The silences that an Encoder makes. A decoder needs less.
const (
	lead = 2 * slot // before the first word
	gap  = 4 * slot // behind each word
)

// amplitude is that of each of two tones.
const amplitude = 8000

// Encode returns text as sound: 16-bit samples at 8000 Hz, with 40 ms of silence before the first word and 80 ms
// behind each. Words are what strings.Fields finds; they come out of a Decoder byte for byte. One longer than
// MaxWord bytes becomes two. Everything lies on multiples of 20 ms.
func Encode(text string) []int16 {
	return EncodeUtterances([]string{text}, 0)
}

// EncodeUtterances is Encode for several texts with a pause behind each, in addition to the silence between words.
// Pauses are rounded up to whole 20 ms.
func EncodeUtterances(texts []string, pause time.Duration) []int16 {
	var e Encoder
	out := make([]int16, lead)
	for _, text := range texts {
		out = e.AppendSilence(e.Append(out, text), pause)
	}
	return out
}

// An Encoder makes one signal piece by piece and numbers its words. The zero value is ready. It must not be used
// concurrently.
type Encoder struct {
	number byte
}

// Append appends the words of text to dst, each with 80 ms of silence behind it. There must be silence at
// the end of dst, or it must be the beginning of the signal.
func (e *Encoder) Append(dst []int16, text string) []int16 {
	for _, word := range strings.Fields(text) {
		for len(word) > 0 {
			n := cut(word)
			dst = e.appendWord(dst, word[:n])
			word = word[n:]
		}
	}
	return dst
}

// AppendSilence appends silence to dst, rounded up to whole 20 ms.
func (e *Encoder) AppendSilence(dst []int16, d time.Duration) []int16 {
	const step = 20 * time.Millisecond
	if d <= 0 {
		return dst
	}
	return append(dst, make([]int16, int((d+step-1)/step)*slot)...)
}

// cut is how much of word fits, without breaking a character.
func cut(word string) int {
	if len(word) <= MaxWord {
		return len(word)
	}
	n := MaxWord
	for n > MaxWord-utf8.UTFMax && !utf8.RuneStart(word[n]) {
		n--
	}
	return n
}

func (e *Encoder) appendWord(dst []int16, word string) []int16 {
	body := append([]byte{e.number, byte(len(word))}, word...)
	sum := crc(crcStart, body...)
	body = append(body, byte(sum>>8), byte(sum))
	e.number++
	for n := range slot {
		dst = append(dst, chirpSample(n))
	}
	for i, b := range body {
		dst = appendTones(dst, i, b^mask(i))
	}
	for n := range slot {
		dst = append(dst, chirpSample(slot-1-n))
	}
	return append(dst, make([]int16, gap)...)
}

// appendTones appends slot i of a word.
func appendTones(dst []int16, i int, b byte) []int16 {
	low, high := frequencies(i, b)
	low *= 2 * math.Pi / SampleRate
	high *= 2 * math.Pi / SampleRate
	for n := range slot {
		dst = append(dst, int16(math.Round(amplitude*(math.Sin(low*float64(n))+math.Sin(high*float64(n))))))
	}
	return dst
}

// chirpSample is a sample of the preamble as Encode makes it.
func chirpSample(n int) int16 {
	return int16(math.Round(math.Sqrt2 * amplitude * math.Sin(chirpPhase(n))))
}

// chirpPhase is the phase of the preamble at sample n, in radians.
func chirpPhase(n int) float64 {
	t := (float64(n) + 0.5) / SampleRate
	const rise = (chirpTo - chirpFrom) * SampleRate / slot // Hz a second
	return 2 * math.Pi * (chirpFrom*t + rise*t*t/2)
}
