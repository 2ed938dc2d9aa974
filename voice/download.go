package voice

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"aldeabridge/codec"
)

// A download is speech that a service sends.
type download struct {
	service *service
	watch   *watch
	body    io.Closer
	audio   io.Reader
	words   func() []Word
}

// audio asks for speech that comes as bytes of audio in format f.
func (s *service) audio(ctx context.Context, o order, f Format) (Stream, error) {
	resp, w, err := s.ask(ctx, o)
	if err != nil {
		return nil, err
	}
	body := bufio.NewReaderSize(timed{resp.Body, w}, readSize)
	f, err = answered(resp.Header.Get("Content-Type"), body, f)
	if err != nil {
		err = failed(s.name, w.reason(err))
		w.stop()
		_ = resp.Body.Close()
		return nil, err
	}
	return &download{s, w, resp.Body, NewReader(body, f), func() []Word { return nil }}, nil
}

// answered is the format of an answer that was to have format f. A content type that is some other audio's is not believed
// until the bytes say so too: services and proxies have favourites there.
func answered(contentType string, body *bufio.Reader, f Format) (Format, error) {
	said, err := formatOf(contentType, "")
	kind, params, _ := mime.ParseMediaType(contentType)
	switch {
	case err != nil && strings.HasPrefix(kind, "audio/"):
		if b, _ := body.Peek(4); !compressed(b) {
			return f, nil
		}
		return f, err
	case err != nil:
		return f, err
	case said.Encoding == codec.EncodingPCM && f.Encoding == codec.EncodingPCM && params["rate"] != "":
		f.Rate, f.Channels = said.Rate, said.Channels
	}
	return f, nil
}

// compressed says whether the first bytes of what is said to be audio are those of MP3, Ogg or FLAC.
func compressed(b []byte) bool {
	for _, magic := range []string{"ID3", "OggS", "fLaC"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return len(b) > 1 && b[0] == 0xFF && b[1]&0xE0 == 0xE0
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.audio.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the connection broke in the middle of the audio: %w", err)
	}
	return n, failed(d.service.name, d.watch.reason(err))
}

func (d *download) Words() []Word { return d.words() }

// Close cancels the request if it is still answered.
func (d *download) Close() error {
	d.watch.stop()
	return d.body.Close()
}
