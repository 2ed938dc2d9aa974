package codec

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// wavBuffer is how much a WAVReader reads at a time.
const wavBuffer = 16 << 10

// A WAVReader reads the sample data of a WAV file as it comes: RIFF, RF64 or BW64, any chunks in front of the samples and
// behind them, also from a writer that could not know the length or got it wrong. Where one file follows another, as from
// speech servers that make one for each sentence, it reads them all. It is used like a tar.Reader:
//
//	w := codec.NewWAVReader(src)
//	for {
//		h, err := w.Next() // io.EOF behind the last
//		…
//		n, err := w.Read(buf) // io.EOF at the end of this file's samples
//		… h.AppendSamples(samples, buf[:n]) …
//	}
//
// It waits for its source only while it has nothing to give, and keeps no more than 16 KiB. At most 16 MiB may stand in front
// of the samples, and there may be 10,000 chunks. Errors are ErrNotWAV, ErrBadWAV, ErrUnsupportedWAV, ErrShortWAV and
// ErrTrailingWAV with the details in words, or the source's own. One goroutine uses it.
type WAVReader struct {
	src    *bufio.Reader
	passed int64 // bytes of the source
	chunks int
	files  int
	err    error // of the source, sticky

	// Of the present file.
	header     WAVHeader
	long       bool   // RF64 or BW64
	size       uint32 // of the RIFF chunk
	before     int64  // bytes of the RIFF chunk up to the samples
	dataLength int64  // by the ds64 chunk; -1: not known
	left       int64  // bytes of samples to come; negative: to the end
	over       bool   // the samples have ended
}

// NewWAVReader returns a WAVReader. It reads r from where it is.
func NewWAVReader(r io.Reader) *WAVReader {
	return &WAVReader{src: bufio.NewReaderSize(r, wavBuffer)}
}

// Next goes on to the first samples, or to those of the next file, and returns what stands in front of them. It skips what
// has not been read. Behind the last file it returns io.EOF, or ErrTrailingWAV if other bytes follow.
func (w *WAVReader) Next() (WAVHeader, error) {
	if w.files == 0 {
		return w.begin()
	}
	if _, err := io.Copy(io.Discard, w); err != nil {
		return WAVHeader{}, err
	}
	if w.header.Length%2 == 1 && w.left == 0 {
		if err := w.pad(); err != nil {
			return WAVHeader{}, err
		}
	}
	for {
		h, done, err := w.behind()
		if done || err != nil {
			return h, err
		}
	}
}

// begin reads a header.
func (w *WAVReader) begin() (h WAVHeader, err error) {
	if h, err = w.readHeader(); err == nil {
		w.files++
		w.header, w.left, w.over = h, h.Length, false
	}
	return h, err
}

// behind looks at what follows the samples, and passes over it if it is a chunk.
func (w *WAVReader) behind() (h WAVHeader, done bool, err error) {
	b, err := w.src.Peek(12)
	if err != nil && !errors.Is(err, io.EOF) {
		return h, true, err
	}
	switch zeros := len(b) - len(bytes.TrimLeft(b, "\x00")); {
	case len(b) == 0:
		return h, true, io.EOF
	case zeros > 0: // to the end of a sector
		w.pass(zeros)
		return h, false, nil
	case len(b) == 12 && MayBeWAV(b):
		h, err = w.begin()
		return h, true, err
	case len(b) < 8 || !isChunkName(b[:4]):
		return h, true, ErrTrailingWAV
	}
	return w.chunkBehind()
}

// chunkBehind passes over a chunk behind the samples. A second data chunk has more of them.
func (w *WAVReader) chunkBehind() (h WAVHeader, done bool, err error) {
	name, length, err := w.chunk()
	if err != nil {
		return h, true, err
	}
	if name == "data" {
		h, err = w.data(w.header, length)
		w.header, w.left, w.over = h, h.Length, false
		return h, true, err
	}
	err = w.skip(name, int64(length))
	if errors.Is(err, ErrShortWAV) {
		return h, true, io.EOF // what is missing there is not heard
	}
	if err == nil && length%2 == 1 {
		err = w.pad()
	}
	return h, err != nil, err
}

// Read reads sample data of the present file, as it is there: AppendSamples turns it into samples. At the end of the data,
// where the next file begins, or where the source ends, it returns io.EOF.
func (w *WAVReader) Read(p []byte) (int, error) {
	switch {
	case w.err != nil:
		return 0, w.err
	case w.files == 0 || w.over || w.left == 0:
		w.over = true
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	b, err := w.samples()
	if len(b) == 0 {
		if w.over = true; !errors.Is(err, io.EOF) {
			w.err = err
		}
		return 0, err
	}
	n := copy(p, b)
	w.pass(n)
	if w.left > 0 {
		w.left -= int64(n)
	}
	return n, nil
}

// samples returns bytes that are there and are samples. It waits for the first one, and for as many as it takes to see that
// no other file begins there. It returns io.EOF where that is so.
func (w *WAVReader) samples() ([]byte, error) {
	if _, err := w.src.Peek(1); err != nil {
		return nil, err
	}
	b, _ := w.src.Peek(w.src.Buffered())
	at := nextWAV(b)
	if at == 0 {
		start, err := w.src.Peek(12)
		if len(start) == 12 && MayBeWAV(start) {
			return nil, io.EOF
		}
		if err != nil && !errors.Is(err, io.EOF) {
			w.err = err // told by the next Read
		}
		at = 1
	}
	b = b[:at]
	if w.left > 0 {
		b = b[:min(int64(len(b)), w.left)]
	}
	return b, nil
}

// nextWAV returns where in b a WAV file may begin, or len(b).
func nextWAV(b []byte) int {
	for at := range b {
		if c := b[at]; (c == 'R' || c == 'B') && MayBeWAV(b[at:]) {
			return at
		}
	}
	return len(b)
}

// Missing is how many bytes of samples the header of the present file counts which are not there, once Read has returned
// io.EOF. It is 0 where the length was not known. A writer that could not know it may also have left a high number.
func (w *WAVReader) Missing() int64 { return max(0, w.left) }
