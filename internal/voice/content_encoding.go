package voice

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// identity requests a response without compression. Servers may compress it nevertheless.
const identity = "identity"

// unpacked returns the decompressed body of a response, without reading from it yet. The caller must limit the size: decompression
// can make a body a thousand times as long.
func unpacked(resp *http.Response) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(resp.Header.Values("Content-Encoding"), ", ")))
	switch coding {
	case "", identity, "none":
		return resp.Body, nil
	case "gzip", "x-gzip":
		return &unpacker{src: resp.Body, open: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }}, nil
	case "deflate":
		return &unpacker{src: resp.Body, open: openDeflate}, nil
	}
	if len(coding) > 40 {
		coding = "several codings"
	}
	return nil, fmt.Errorf("the answer is packed (Content-Encoding: %q); it must be as it is, or gzip or deflate", coding)
}

// unpacker opens a compressed body at the first Read.
type unpacker struct {
	src  io.Reader
	open func(io.Reader) (io.Reader, error)
	body io.Reader
}

func (u *unpacker) Read(p []byte) (n int, err error) {
	if u.body == nil {
		if u.body, err = u.open(u.src); err != nil {
			u.body = nil
			return 0, damaged(err)
		}
	}
	n, err = u.body.Read(p)
	return n, damaged(err)
}

// openDeflate reads zlib's format, as RFC 9110 has it, or bare deflate, which some servers send.
func openDeflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(2); len(head) == 2 && head[0]&0x0F == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}

// damaged translates the errors of the decompressing packages.
func damaged(err error) error {
	var corrupt flate.CorruptInputError
	for _, bad := range []error{gzip.ErrHeader, gzip.ErrChecksum, zlib.ErrHeader, zlib.ErrChecksum, zlib.ErrDictionary} {
		if errors.Is(err, bad) {
			return errors.New("the answer is said to be packed, and cannot be unpacked")
		}
	}
	if errors.As(err, &corrupt) {
		return errors.New("the answer is said to be packed, and cannot be unpacked")
	}
	return err
}
