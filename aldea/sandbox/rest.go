package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
)

// post transcribes a recording: the request's body, in any form a stream may have.
func (h *Handler) post(x *exchange) {
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()
	kind, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	switch {
	case kind == "application/json":
		h.refuse(x, http.StatusUnprocessableEntity, "REMOTE_CONTENT_ERROR", "the sandbox does not fetch recordings by URL; send the bytes")
		return
	case x.r.URL.Query().Get("callback") != "":
		h.refuse(x, http.StatusUnprocessableEntity, "INVALID_QUERY_PARAMETER", "the sandbox does not call back; leave out callback")
		return
	case strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "image/"):
		h.refuse(x, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", kind+" is not audio")
		return
	}
	rec := &recording{opts: &h.opts, params: x.params, record: x.record}
	rec.params.Interim, rec.params.UtteranceEnd, rec.params.VADEvents = false, 0, false
	err := rec.transcribe(ctx, http.MaxBytesReader(x.w, x.r.Body, h.opts.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		h.answer(x, rec)
	case errors.As(err, &tooLarge):
		h.refuse(x, http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", "the recording is over the limit")
	case errors.Is(err, errEmptyBody):
		h.refuse(x, http.StatusBadRequest, "BAD_REQUEST", err.Error())
	case errors.Is(err, errUndecodable):
		h.refuse(x, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", err.Error())
	default:
		h.refuse(x, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", err.Error())
	}
}

var errEmptyBody = errors.New("the body holds no audio")

// A recording hears one body to its end and keeps the words.
type recording struct {
	opts   *Options
	params Params
	record *record

	in        *input
	segmenter *segmenter
	samples   int64
	words     []Word
}

func (rec *recording) result(r result) {
	if r.final {
		rec.words = append(rec.words, r.words...)
	}
}
func (rec *recording) speechStarted(time.Duration) {}
func (rec *recording) utteranceEnd(time.Duration)  {}

func (rec *recording) transcribe(ctx context.Context, body io.Reader) error {
	rec.in = newInput(rec.params, rec.opts.FFmpeg, func(samples []int16, rate int) error { return rec.hear(ctx, samples, rate) })
	defer rec.close()
	if err := rec.read(ctx, body); err != nil {
		return err
	}
	if err := rec.in.Finish(ctx); err != nil {
		return err
	}
	if rec.segmenter == nil {
		return errEmptyBody
	}
	return rec.segmenter.Close()
}

// close releases the recognizer and ffmpeg.
func (rec *recording) close() {
	rec.in.Close()
	if rec.segmenter != nil {
		_ = rec.segmenter.recognizer.Close() // nothing more is wanted of it
	}
}

// read feeds the body. MPEG-4 goes by way of a file: its index may stand at the end.
func (rec *recording) read(ctx context.Context, body io.Reader) error {
	buf := make([]byte, 1<<16)
	for first := true; ; first = false {
		n, err := io.ReadFull(body, buf)
		if n > 0 {
			rec.record.received(buf[:n])
			if first && !rec.params.raw() && container(buf[:n]) == "mov" {
				return rec.readFile(ctx, buf[:n], body)
			}
			if err := rec.in.Write(ctx, buf[:n:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (rec *recording) readFile(ctx context.Context, head []byte, rest io.Reader) error {
	f, err := os.CreateTemp("", "sandbox-*.m4a")
	if err != nil {
		return err
	}
	defer os.RemoveAll(f.Name())
	defer f.Close()
	if _, err := f.Write(head); err != nil {
		return err
	}
	n, err := io.Copy(f, rest)
	if err != nil {
		return err
	}
	rec.record.update(func(c *Connection) { c.Bytes += n })
	rec.in.known = true
	if rec.in.trans, err = startTranscoder(ctx, rec.opts.FFmpeg, "mov", f.Name()); err != nil {
		return err
	}
	return rec.in.trans.Finish(ctx, rec.in.transcoded)
}

func (rec *recording) hear(ctx context.Context, samples []int16, rate int) error {
	if rec.segmenter == nil {
		rec.params.SampleRate = rate
		r, err := rec.opts.Source.Open(ctx, rec.params)
		if err != nil {
			return fmt.Errorf("open recognizer: %w", err)
		}
		rec.segmenter = newSegmenter(rec.opts, rec.params, r, rec)
	}
	rec.samples += int64(len(samples))
	return rec.segmenter.Write(samples)
}

// answer sends the transcript.
func (h *Handler) answer(x *exchange, rec *recording) {
	duration := span(rec.samples, rec.params.SampleRate)
	query := x.r.URL.Query()
	var b strings.Builder
	b.WriteString(`{"metadata":{"request_id":` + quote(x.requestID))
	b.WriteString(`,"created":` + quote(time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")))
	b.WriteString(`,"duration":` + seconds(duration) + `,"channels":1},"results":{"channels":[{`)
	if strings.EqualFold(query.Get("detect_language"), "true") {
		b.WriteString(`"detected_language":"en",`)
	}
	b.WriteString(`"alternatives":[{"transcript":` + quote(transcript(rec.words)))
	b.WriteString(`,"confidence":` + number(confidence(rec.words)) + `,"words":[`)
	if h.opts.Profile == ProfileDeepgram || strings.EqualFold(x.r.Header.Get("timestamps"), "true") {
		speakers := strings.EqualFold(query.Get("diarize"), "true") || strings.EqualFold(query.Get("diarization"), "true")
		writeWords(&b, rec.words, h.opts.Profile == ProfileDeepgram, speakers)
	}
	b.WriteString(`]}]}]}}`)
	x.w.Header().Set("Content-Type", "application/json")
	_, _ = x.w.Write([]byte(b.String())) // a client that went away needs no answer
	x.record.update(func(c *Connection) {
		c.Status, c.Audio, c.SampleRate = http.StatusOK, duration, rec.params.SampleRate
	})
	x.record.sent(duration, b.String())
}

// writeWords writes words as the answer to a recording has them: objects, in seconds. Aldea's have no confidence.
func writeWords(b *strings.Builder, words []Word, confidences, speakers bool) {
	for i, w := range words {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"word":` + quote(w.Text) + `,"start":` + seconds(w.Start) + `,"end":` + seconds(w.End))
		if confidences {
			b.WriteString(`,"confidence":` + number(w.Confidence))
		}
		if speakers {
			b.WriteString(`,"speaker":0`)
		}
		b.WriteByte('}')
	}
}
