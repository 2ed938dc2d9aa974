package codec

import (
	"encoding/binary"
	"fmt"
	"io"
)

// WriteWAV writes a WAV file of 16-bit PCM. samples are interleaved, and there must be a whole number of them for
// each channel. A file holds less than 4 GiB.
func WriteWAV(w io.Writer, rate Rate, channels int, samples []int16) error {
	if channels < 1 || channels > 1<<15-1 || len(samples)%channels != 0 {
		return fmt.Errorf("codec: write WAV: %d samples cannot be shared among %d channels", len(samples), channels)
	}
	head, err := header(formatPCM, rate, channels, 16, 2*int64(len(samples)))
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("codec: write WAV: %w", err)
	}
	var buf [1 << 13]byte
	for len(samples) > 0 {
		n := min(len(samples), len(buf)/2)
		if _, err := w.Write(AppendLinear16(buf[:0], samples[:n])); err != nil {
			return fmt.Errorf("codec: write WAV: %w", err)
		}
		samples = samples[n:]
	}
	return nil
}

// WriteMuLawWAV writes a WAV file of µ-law at 8000 Hz, mono: what a carrier sent, byte for byte.
func WriteMuLawWAV(w io.Writer, mulaw []byte) error {
	head, err := header(formatMuLaw, 8000, 1, 8, int64(len(mulaw)))
	if err != nil {
		return err
	}
	data := [][]byte{head, mulaw}
	if len(mulaw)%2 == 1 {
		data = append(data, []byte{0})
	}
	for _, b := range data {
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("codec: write WAV: %w", err)
		}
	}
	return nil
}

// header is everything in front of the samples. length is that of the samples in bytes.
func header(code uint16, rate Rate, channels, bits int, length int64) ([]byte, error) {
	if rate < 1 || rate > MaxRate {
		return nil, fmt.Errorf("codec: write WAV: %d Hz: %w", rate, ErrRate)
	}
	block := channels * bits / 8
	fmtSize := 16
	if code != formatPCM {
		fmtSize = 18 // with the size of an extension, which is empty
	}
	rest := int64(4 + 8 + fmtSize + 8)
	if code != formatPCM {
		rest += 12
	}
	if length+rest+1 > 1<<32-1 {
		return nil, fmt.Errorf("codec: write WAV: %d bytes of samples do not fit in a WAV file", length)
	}
	le := binary.LittleEndian
	b := append(make([]byte, 0, 64), "RIFF"...)
	b = le.AppendUint32(b, uint32(rest+length+length%2))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, uint32(fmtSize))
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(int(rate)*block))
	b = le.AppendUint16(b, uint16(block))
	b = le.AppendUint16(b, uint16(bits))
	if code != formatPCM {
		b = le.AppendUint16(b, 0)
		b = append(b, "fact"...)
		b = le.AppendUint32(b, 4)
		b = le.AppendUint32(b, uint32(length/int64(block)))
	}
	b = append(b, "data"...)
	return le.AppendUint32(b, uint32(length)), nil
}
