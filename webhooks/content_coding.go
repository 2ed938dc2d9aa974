package webhooks

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Requests ask for the identity coding, but a server may answer with another one (RFC 9110 section 12.5.3). gzip and
// deflate are decompressed, within these bounds.
const (
	// maxAnswer bounds an answer in bytes, compressed and decompressed: actions can contain a recording.
	maxAnswer = 2 << 20
	// maxRatio bounds how many times longer than its compressed form an answer may be. Answers up to freeRatio bytes
	// are exempt.
	maxRatio  = 100
	freeRatio = 64 << 10
)

// Errors of reading an answer's body.
var (
	ErrAnswerTooLong = errors.New("webhooks: answer longer than 2 MiB")
	ErrAnswerRatio   = fmt.Errorf("webhooks: answer is more than %d times longer than its compressed form", maxRatio)
	ErrAnswerCoding  = errors.New("webhooks: unsupported content coding of the answer; use none, gzip or deflate")
	ErrAnswerDamaged = errors.New("webhooks: answer is damaged")
)

// readAnswer reads and decompresses a body. It also returns the bytes that came before an error.
func readAnswer(body io.Reader, header http.Header) ([]byte, error) {
	packed, err := readUpTo(body, maxAnswer, ErrAnswerTooLong)
	if err != nil && !errors.Is(err, ErrAnswerTooLong) {
		err = fmt.Errorf("webhooks: read answer: %w", err)
	}
	if len(packed) == 0 {
		return nil, err // whatever the coding
	}
	coding, codingErr := contentCoding(header, packed)
	switch {
	case codingErr != nil:
		return nil, codingErr
	case coding == "" || err != nil && !errors.Is(err, ErrAnswerTooLong):
		return packed, err
	case err != nil:
		return nil, err
	}
	return unpack(coding, packed)
}

// readUpTo reads at most limit bytes, and returns tooLong if there are more.
func readUpTo(r io.Reader, limit int, tooLong error) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if len(b) > limit {
		return b[:limit], tooLong
	}
	return b, err
}

// contentCoding returns "gzip", "deflate", or "" for a body that is not compressed.
func contentCoding(header http.Header, body []byte) (string, error) {
	coding := ""
	for one := range strings.SplitSeq(strings.Join(header.Values("Content-Encoding"), ","), ",") {
		one = strings.ToLower(strings.TrimSpace(one))
		switch {
		case one == "" || one == "identity":
		case coding != "":
			return "", fmt.Errorf("%w: there are several", ErrAnswerCoding)
		case one == "gzip" || one == "x-gzip":
			coding = "gzip"
		case one == "deflate":
			coding = one
		default:
			return "", fmt.Errorf("%w: it is %q", ErrAnswerCoding, one[:min(len(one), maxCodingName)])
		}
	}
	if coding == "" && (bytes.HasPrefix(body, gzipMagic) || bytes.HasPrefix(body, zstdMagic)) {
		return "", fmt.Errorf("%w: it is compressed, but has no Content-Encoding", ErrAnswerCoding)
	}
	return coding, nil
}

// maxCodingName bounds the part of a Content-Encoding that is quoted in an error.
const maxCodingName = 20

// The first bytes of compressed data. No JSON begins with them.
var (
	gzipMagic = []byte{0x1f, 0x8b, 8}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// unpack decompresses a body. It also returns the bytes that came before an error.
func unpack(coding string, packed []byte) ([]byte, error) {
	source := bytes.NewReader(packed)
	r, err := opener(coding, packed)(source)
	if err != nil {
		return nil, damaged(coding, err)
	}
	limit, tooLong := maxAnswer, ErrAnswerTooLong
	if most := max(maxRatio*len(packed), freeRatio); most < limit {
		limit, tooLong = most, ErrAnswerRatio
	}
	b, err := readUpTo(r, limit, tooLong)
	switch {
	case errors.Is(err, tooLong):
		return b, err
	case err != nil:
		return b, damaged(coding, err)
	case source.Len() > 0:
		return b, damaged(coding, errors.New("there is data after its end"))
	}
	return b, nil
}

func damaged(coding string, err error) error {
	return fmt.Errorf("%w: it is not complete %s: %w", ErrAnswerDamaged, coding, err)
}

// opener returns the function that opens a decompressor. "deflate" means the zlib format (RFC 9110 section 8.4.1.2),
// but some servers send raw deflate data. Raw data never begins with a valid zlib header.
func opener(coding string, packed []byte) func(io.Reader) (io.Reader, error) {
	switch {
	case coding == "gzip":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case len(packed) > 1 && packed[0]&0x0f == 8 && (uint(packed[0])<<8|uint(packed[1]))%31 == 0:
		return func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	}
	return func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }
}
