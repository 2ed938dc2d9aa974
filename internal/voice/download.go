package voice

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"aldeabridge/codec"
)

// download is a Stream of the speech in a service's response.
type download struct {
	service *service
	text    string // the text to speak
	watch   *watch
	body    io.Closer
	audio   io.Reader
	words   func() []Word
}

// maxAnswer is the most bytes of one response body, decompressed: 15 minutes in 16 bits at 48 kHz, with room to spare.
const maxAnswer = 128 << 20

// audio requests speech whose response body is audio in format f.
func (s *service) audio(ctx context.Context, o order, f Format) (Stream, error) {
	resp, w, err := s.ask(ctx, o)
	if err != nil {
		return nil, err
	}
	body, err := s.body(resp, w)
	if err == nil {
		f, err = answered(resp.Header.Get("Content-Type"), body, f)
	}
	if err != nil {
		err = s.unusable(w.reason(err), o.text)
		w.stop()
		_ = resp.Body.Close()
		return nil, err
	}
	return &download{s, o.text, w, resp.Body, newReader(body, f, true), func() []Word { return nil }}, nil
}

// body returns the response's body, decompressed and limited to s.most bytes.
func (s *service) body(resp *http.Response, w *watch) (*bufio.Reader, error) {
	body, err := unpacked(resp)
	return bufio.NewReaderSize(&limited{timed{body, w}, s.most, s.most}, readSize), err
}

// answered returns the format of a response to a request for format f. If the content type is that of other audio, the first
// bytes decide: services and proxies send wrong audio types.
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
		return f, notAudio(kind, body, err)
	case said.Encoding == codec.EncodingPCM && f.Encoding == codec.EncodingPCM && params["rate"] != "":
		f.Rate, f.Channels = said.Rate, said.Channels
	}
	return f, nil
}

// notAudio returns the error for a response whose content type is not audio, or nil if the body is a WAV file nevertheless.
func notAudio(kind string, body *bufio.Reader, err error) error {
	if b, _ := body.Peek(12); len(b) == 12 && codec.MayBeWAV(b) {
		return nil
	}
	if kind != "application/json" {
		return err
	}
	document, _ := io.ReadAll(io.LimitReader(body, maxDocument))
	return &documentError{err.Error(), document}
}

// compressed reports whether b begins like MP3, Ogg or FLAC. It needs fewer bytes than codec.Sniff, because the content type says
// that the audio is compressed.
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
		err = &brokenError{"the connection broke in the middle of the audio"}
	}
	return n, d.service.unusable(d.watch.reason(err), d.text)
}

// unusable returns the error for a body that cannot be used. If the body is a document, it adds the document's message.
func (s *service) unusable(err error, text string) error {
	if d := (*documentError)(nil); errors.As(err, &d) {
		if said := s.tidy(message(d.document), text); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
	}
	return failed(s.name, err)
}

func (d *download) Words() []Word { return d.words() }

// Close cancels the request if the response is not complete.
func (d *download) Close() error {
	d.watch.stop()
	return d.body.Close()
}
