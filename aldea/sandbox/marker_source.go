package sandbox

import (
	"context"

	"aldeabridge/aldea/sandbox/marker"
)

// Marker is a Source that reads the words which the audio carries as tones (see package marker). Lost, doubled
// or mixed audio shows in the text: a word that did not arrive whole is marker.Damage.
func Marker() Source { return marked{} }

type marked struct{}

// Name is "marker".
func (marked) Name() string { return "marker" }

// Simulated returns false: the words depend on the audio alone.
func (marked) Simulated() bool { return false }

// Open starts a decoder. Rates that it does not know are converted.
func (marked) Open(_ context.Context, p Params) (Recognizer, error) {
	r := &reader{rate: p.SampleRate}
	if !marker.CanDecode(p.SampleRate) {
		r.rate, r.converter = engineRate, newConverter(p.SampleRate)
	}
	r.decoder = marker.NewDecoder(r.rate)
	return r, nil
}

// markerConfidence is what a whole word gets; a damaged one gets none.
const markerConfidence = 1

// reader reads the tones of one stream.
type reader struct {
	rate      int // of the decoder
	converter converter
	decoder   *marker.Decoder
	words     []Word
}

// Hear reads on. A word is voice from its preamble to its end, even where its tones sound too steady for one.
func (r *reader) Hear(frame []int16, voice bool) (bool, error) {
	if r.converter != nil {
		frame = r.converter.Resample(nil, frame)
	}
	r.add(r.decoder.Write(frame))
	_, sounding := r.decoder.Sounding()
	return voice || sounding, nil
}

func (r *reader) add(symbols []marker.Symbol) {
	for _, s := range symbols {
		w := Word{Text: s.Word, Start: span(s.Start, r.rate), End: span(s.End, r.rate)}
		if !s.Damaged {
			w.Confidence = markerConfidence
		}
		r.words = append(r.words, w)
	}
}

// Words are the whole words so far.
func (r *reader) Words() []Word { return r.words }

// Final returns the words that are over; the one under way belongs to the next segment, unless there is none.
func (r *reader) Final(last bool) ([]Word, error) {
	if last {
		r.add(r.decoder.Flush())
	}
	words := r.words
	r.words = nil
	return words, nil
}

// Close does nothing.
func (r *reader) Close() error { return nil }
