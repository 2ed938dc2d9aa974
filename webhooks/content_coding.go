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

// Requests ask for the identity coding, but a server may answer with another one (RFC 9110 section 12.5.3). gzip and deflate are
// read, within these bounds.
const (
	// maxAnswer is how much of an answer is read, packed and unpacked: actions with a recording in them can be that long.
	maxAnswer = 2 << 20
	// maxRatio is how much longer than its packed form an answer may be. What is short may be longer: freeRatio bytes.
	maxRatio  = 100
	freeRatio = 64 << 10
)

// Why the body of an answer cannot be read.
var (
	ErrAnswerTooLong = errors.New("webhooks: answer longer than 2 MiB")
	ErrAnswerRatio   = fmt.Errorf("webhooks: answer is more than %d times longer than its packed form", maxRatio)
	ErrAnswerCoding  = errors.New("webhooks: answer in a content coding that is not read; none, gzip or deflate would be right")
	ErrAnswerDamaged = errors.New("webhooks: answer is damaged")
)

// readAnswer reads a body and unpacks it. What came before an error is returned with it.
func readAnswer(body io.Reader, header http.Header) ([]byte, error) {
	packed, err := readUpTo(body, maxAnswer, ErrAnswerTooLong)
	if err != nil && !errors.Is(err, ErrAnswerTooLong) {
		err = fmt.Errorf("webhooks: read answer: %w", err)
	}
	if len(packed) == 0 {
		return nil, err // also with a coding: there is nothing to unpack
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

// contentCoding returns "gzip", "deflate", or "" for a body that is not packed.
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
		return "", fmt.Errorf("%w: it is packed, and no Content-Encoding says so", ErrAnswerCoding)
	}
	return coding, nil
}

// maxCodingName bounds the part of a Content-Encoding that is repeated in an error.
const maxCodingName = 20

// What packed data begins with: no JSON does.
var (
	gzipMagic = []byte{0x1f, 0x8b, 8}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// unpack undoes a coding. What came before an error is returned with it.
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
		return b, damaged(coding, errors.New("there is something behind its end"))
	}
	return b, nil
}

func damaged(coding string, err error) error {
	return fmt.Errorf("%w: it is not whole %s: %w", ErrAnswerDamaged, coding, err)
}

// opener returns what unpacks a coding. "deflate" means the format of zlib (RFC 9110 section 8.4.1.2), but some servers send deflate
// without zlib's header: no such data begins like it.
func opener(coding string, packed []byte) func(io.Reader) (io.Reader, error) {
	switch {
	case coding == "gzip":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case len(packed) > 1 && packed[0]&0x0f == 8 && (uint(packed[0])<<8|uint(packed[1]))%31 == 0:
		return func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	}
	return func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }
}
