package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// lengthAllOnes stands in RF64 and BW64 where the ds64 chunk has the length.
const lengthAllOnes = 1<<32 - 1

// unknownLength says whether a writer that could not know the length left n in its place. FFmpeg writes
// 0xFFFFFFFF, SoX the highest multiple of a block below 2 GiB.
func unknownLength(n uint32) bool { return n >= 0x7FFF0000 }

// readHeader reads up to the first sample of a file.
func (w *WAVReader) readHeader() (h WAVHeader, err error) {
	if b, _ := w.src.Peek(12); len(b) > 0 && !MayBeWAV(b) {
		return h, notWAV(b)
	}
	riff, err := w.take(12, "inside the RIFF header")
	if err != nil {
		return h, err
	}
	w.long = string(riff[:4]) != "RIFF"
	w.size, w.before, w.dataLength = binary.LittleEndian.Uint32(riff[4:]), 4, -1
	for {
		name, length, err := w.chunk()
		if err != nil {
			return h, err
		}
		if name == "data" {
			return w.data(h, length)
		}
		if err := w.head(name, length, &h); err != nil {
			return h, err
		}
	}
}

// chunk reads the next chunk's name and length.
func (w *WAVReader) chunk() (name string, length uint32, err error) {
	head, err := w.take(8, "before any data chunk")
	if err != nil {
		return "", 0, err
	}
	if w.chunks++; w.chunks > maxWAVChunks {
		return "", 0, fmt.Errorf("%w: it has more than %d chunks", ErrBadWAV, maxWAVChunks)
	}
	w.before += 8
	return string(head[:4]), binary.LittleEndian.Uint32(head[4:]), nil
}

// head reads a chunk that stands in front of the samples.
func (w *WAVReader) head(name string, length uint32, h *WAVHeader) (err error) {
	if w.before += int64(length) + int64(length%2); w.before > maxWAVHeader {
		return fmt.Errorf("%w: more than %d MiB stand in front of its samples", ErrBadWAV, maxWAVHeader>>20)
	}
	switch name {
	case "fmt ":
		*h, err = w.readFormat(length)
	case "ds64":
		err = w.readDS64(length)
	default:
		err = w.skip(name, int64(length))
	}
	if err == nil && length%2 == 1 {
		err = w.pad()
	}
	return err
}

// data is at the samples, behind the data chunk's length.
func (w *WAVReader) data(h WAVHeader, length uint32) (WAVHeader, error) {
	if h.Channels == 0 {
		return h, fmt.Errorf("%w: its data chunk comes before the fmt chunk that explains it", ErrBadWAV)
	}
	h.Length = int64(length)
	switch {
	case w.long && length == lengthAllOnes:
		h.Length = w.dataLength
	case unknownLength(length), length == 0 && !w.empty():
		h.Length = -1
	}
	return h, nil
}

// empty says whether a data chunk of length 0 has no samples, or whether the length was never filled in. It has none where
// another chunk that the file has room for, or another file, follows.
func (w *WAVReader) empty() bool {
	room := int64(w.size) - w.before
	if room <= 0 || unknownLength(w.size) {
		return false
	}
	b, _ := w.src.Peek(12)
	if len(b) == 12 && MayBeWAV(b) {
		return true
	}
	return len(b) >= 8 && isChunkName(b[:4]) && int64(binary.LittleEndian.Uint32(b[4:])) <= room-8
}

// readFormat reads the fmt chunk.
func (w *WAVReader) readFormat(length uint32) (h WAVHeader, err error) {
	if length < 16 {
		return h, fmt.Errorf("%w: its fmt chunk has %d bytes, want at least 16", ErrBadWAV, length)
	}
	b, err := w.take(int(min(length, 40)), "inside its fmt chunk")
	if err != nil {
		return h, err
	}
	if h, err = parseFormat(b); err != nil {
		return h, err
	}
	return h, w.skip("fmt ", int64(length)-int64(len(b)))
}

// readDS64 reads the data's length from the chunk that RF64 and BW64 keep it in (EBU Tech 3306). All ones, and more than a
// file can have, stand for one that is not known.
func (w *WAVReader) readDS64(length uint32) error {
	const need = 16
	if length < need {
		return fmt.Errorf("%w: its ds64 chunk has %d bytes, want at least %d", ErrBadWAV, length, need)
	}
	b, err := w.take(need, "inside its ds64 chunk")
	if err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint64(b[8:]); n > 0 && n < 1<<62 {
		w.dataLength = int64(n)
	}
	return w.skip("ds64", int64(length)-need)
}

// take reads n bytes, at most a buffer full. They are valid until the next read.
func (w *WAVReader) take(n int, where string) ([]byte, error) {
	b, err := w.src.Peek(n)
	if len(b) < n {
		if errors.Is(err, io.EOF) {
			err = &cutError{fmt.Sprintf("after %d bytes, %s", w.passed+int64(len(b)), where)}
		}
		return nil, err
	}
	w.pass(n)
	return b, nil
}

// pass takes n bytes that have been looked at.
func (w *WAVReader) pass(n int) {
	_, _ = w.src.Discard(n) // they are buffered
	w.passed += int64(n)
}

// skip passes over n bytes of a chunk.
func (w *WAVReader) skip(name string, n int64) error {
	got, err := io.CopyN(io.Discard, w.src, n)
	w.passed += got
	if errors.Is(err, io.EOF) {
		return &cutError{fmt.Sprintf("inside its %q chunk, %d bytes early", name, n-got)}
	}
	return err
}

// pad passes over the byte behind a chunk of odd length. Some writers leave it out: then the next chunk begins there.
func (w *WAVReader) pad() error {
	b, err := w.src.Peek(5)
	switch {
	case len(b) == 0 && !errors.Is(err, io.EOF):
		return err
	case len(b) == 0, len(b) >= 4 && b[0] != 0 && isChunkName(b[:4]) && (len(b) < 5 || !isChunkName(b[1:5]) || isKnownChunk(b[:4])):
		return nil
	}
	w.pass(1)
	return nil
}

// isKnownChunk says whether a chunk's name is one that most files have, or that of another file.
func isKnownChunk(name []byte) bool {
	return strings.Contains(" data fmt  LIST fact bext id3  ID3  iXML RIFF RF64 BW64 ", " "+string(name)+" ")
}

// isChunkName says whether four bytes can be a chunk's name: letters, digits, spaces, underscores.
func isChunkName(b []byte) bool {
	return !bytes.ContainsFunc(b, func(c rune) bool {
		return c != ' ' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}
