package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A WAV is a whole recording in 16 bits a sample.
type WAV struct {
	Rate     Rate
	Channels int
	Samples  []int16 // interleaved: the first sample of each channel, then the second of each …
}

// ReadWAV reads a WAV file to its last sample, with a WAVReader: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, µ-law or
// A-law, plain or extensible. Samples of other widths are rounded to 16 bits. A file that is cut is read as far as it
// goes. Several files of one rate and number of channels, one behind the other, become one recording; what else follows the
// samples is not looked at.
//
// It keeps no more than what it read: where that must be bounded, give it an io.LimitReader. Errors are ErrNotWAV,
// ErrBadWAV and ErrUnsupportedWAV with the details in words, or r's own.
func ReadWAV(r io.Reader) (*WAV, error) {
	in := NewWAVReader(r)
	h, err := in.Next()
	w := &WAV{Rate: h.Rate, Channels: h.Channels}
	for err == nil {
		if h.Rate != w.Rate || h.Channels != w.Channels {
			return nil, fmt.Errorf("%w: a part of it has %d Hz and %d channels, and another %d Hz and %d", ErrUnsupportedWAV,
				w.Rate, w.Channels, h.Rate, h.Channels)
		}
		if err := w.readSamples(in, h); err != nil {
			return nil, err
		}
		h, err = in.Next()
	}
	behind := in.files > 0 && (errors.Is(err, ErrTrailingWAV) || errors.Is(err, ErrShortWAV))
	if !behind && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return w, nil
}

// readSamples appends the samples of one file. Bytes behind the last whole block are none.
func (w *WAV) readSamples(in *WAVReader, h WAVHeader) error {
	buf := make([]byte, wavBuffer+h.BlockSize())
	kept := 0 // bytes of a block that was cut
	for {
		n, err := in.Read(buf[kept:])
		n += kept
		var used int
		w.Samples, used = h.AppendSamples(w.Samples, buf[:n])
		kept = copy(buf, buf[used:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Channel returns the samples of channel i, counted from 0. It panics when there is no such channel.
func (w *WAV) Channel(i int) []int16 {
	if i < 0 || i >= w.Channels {
		panic(fmt.Sprintf("codec: channel %d of %d", i, w.Channels))
	}
	out := make([]int16, 0, len(w.Samples)/w.Channels)
	for ; i < len(w.Samples); i += w.Channels {
		out = append(out, w.Samples[i])
	}
	return out
}

// Mono returns the mean of all channels.
func (w *WAV) Mono() []int16 {
	out := make([]int16, 0, len(w.Samples)/max(w.Channels, 1))
	for s := w.Samples; w.Channels > 0 && len(s) >= w.Channels; s = s[w.Channels:] {
		sum := 0
		for _, v := range s[:w.Channels] {
			sum += int(v)
		}
		out = append(out, int16(math.RoundToEven(float64(sum)/float64(w.Channels))))
	}
	return out
}

// AppendSamples appends the samples of the whole blocks in src to dst, interleaved, in 16 bits. It returns the
// longer dst and how many bytes of src it took: the rest, less than a block, belongs in front of the next call's.
func (h WAVHeader) AppendSamples(dst []int16, src []byte) ([]int16, int) {
	block := h.BlockSize()
	if block == 0 {
		return dst, 0
	}
	used := len(src) / block * block
	for b := src[:used]; len(b) > 0; b = b[h.Bits/8:] {
		dst = append(dst, h.sample(b))
	}
	return dst, used
}

// sample is the first sample in b.
func (h WAVHeader) sample(b []byte) int16 {
	switch h.Encoding {
	case EncodingMuLaw:
		return muLaw[b[0]]
	case EncodingALaw:
		return aLaw[b[0]]
	case EncodingFloat:
		if h.Bits == 32 {
			return fromFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
		return fromFloat(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	switch h.Bits {
	case 8:
		return int16(int(b[0])-128) << 8
	case 16:
		return int16(binary.LittleEndian.Uint16(b))
	case 24:
		return clip((int64(int8(b[2]))<<16 + int64(binary.LittleEndian.Uint16(b)) + 1<<7) >> 8)
	default:
		return clip((int64(int32(binary.LittleEndian.Uint32(b))) + 1<<15) >> 16)
	}
}

// fromFloat is the sample for v, where full scale is 1. What is no number is silence.
func fromFloat(v float64) int16 {
	switch v = math.Round(v * (1 << 15)); {
	case v >= 1<<15-1:
		return 1<<15 - 1
	case v <= -1<<15:
		return -1 << 15
	case v != v:
		return 0
	}
	return int16(v)
}
