package sandbox

import (
	"context"
	"errors"
	"fmt"

	"aldeabridge/codec"
)

// maxWAVHeader bounds what may stand before the samples of a WAV file.
const maxWAVHeader = 1 << 16

// Limits of what a WAV header may ask for.
const (
	minWAVRate  = 4000
	maxWAVRate  = 192000
	maxChannels = 32 // in a WAV header or in the URL
)

// errUndecodable means that what the client sent is no audio, or none that can be decoded here.
var errUndecodable = errors.New("undecodable audio")

// An input turns the bytes a client sends into mono samples. It looks at the first bytes to tell samples from
// containers, reads WAV itself and lets ffmpeg read the rest.
type input struct {
	params Params
	ffmpeg string
	hear   func(samples []int16, rate int) error // takes what was decoded

	known    bool   // the first bytes were looked at
	held     []byte // bytes waiting: for the look, for the end of a WAV header, or for the rest of a sample
	inHeader bool
	format   codec.WAVHeader // how samples are written; without a header, what the URL says
	left     int64           // bytes of WAV data still to come; negative means no end
	trans    *transcoder
}

func newInput(p Params, ffmpeg string, hear func([]int16, int) error) *input {
	in := &input{params: p, ffmpeg: ffmpeg, hear: hear, left: -1}
	in.format = codec.WAVHeader{Encoding: codec.EncodingPCM, Rate: codec.Rate(p.SampleRate), Channels: max(p.Channels, 1), Bits: 16}
	switch p.Encoding {
	case "mulaw":
		in.format.Encoding, in.format.Bits = codec.EncodingMuLaw, 8
	case "alaw":
		in.format.Encoding, in.format.Bits = codec.EncodingALaw, 8
	}
	return in
}

// Write takes the next bytes, however they are cut.
func (in *input) Write(ctx context.Context, b []byte) error {
	if in.trans != nil {
		return in.trans.Write(ctx, b, in.transcoded)
	}
	b = append(in.held, b...)
	in.held = nil
	if !in.known {
		if len(b) < sniffLength {
			in.held = b
			return nil
		}
		if err := in.look(ctx, b); err != nil {
			return err
		}
		if in.trans != nil {
			return in.trans.Write(ctx, b, in.transcoded)
		}
	}
	if in.inHeader {
		var err error
		if b, err = in.header(b); err != nil || in.inHeader {
			return err
		}
	}
	return in.samples(b)
}

// look decides what the stream is by its first bytes.
func (in *input) look(ctx context.Context, b []byte) error {
	in.known = true
	if isWAV(b) {
		in.inHeader = true
		return nil
	}
	if in.params.raw() {
		return nil
	}
	name := container(b)
	if name == "" {
		name = demuxer(in.params.Encoding)
	}
	if name == "" {
		return nil // bare samples without a word about it
	}
	var err error
	in.trans, err = startTranscoder(ctx, in.ffmpeg, name, "")
	return err
}

// header reads the WAV header once it is complete and returns what follows it.
func (in *input) header(b []byte) ([]byte, error) {
	h, n, err := codec.ParseWAVHeader(b)
	switch {
	case errors.Is(err, codec.ErrShortWAV) && len(b) < maxWAVHeader:
		in.held = b
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUndecodable, err)
	case h.Rate < minWAVRate || h.Rate > maxWAVRate || h.Channels > maxChannels:
		return nil, fmt.Errorf("%w: WAV with %d channels at %d Hz", errUndecodable, h.Channels, h.Rate)
	}
	in.inHeader, in.format, in.left = false, h, h.Length
	return b[n:], nil
}

// samples decodes bare samples; a sample cut in two waits for its rest.
func (in *input) samples(b []byte) error {
	if in.left >= 0 && int64(len(b)) > in.left {
		b = b[:in.left] // after the data come chunks that are no audio
	}
	whole := len(b) - len(b)%in.format.BlockSize()
	if rest := b[whole:]; len(rest) > 0 {
		in.held = append([]byte(nil), rest...)
	}
	if in.left >= 0 {
		in.left -= int64(whole)
	}
	if whole == 0 {
		return nil
	}
	wav := codec.WAV{Rate: in.format.Rate, Channels: in.format.Channels}
	wav.Samples, _ = in.format.AppendSamples(nil, b[:whole])
	return in.hear(wav.Mono(), int(in.format.Rate))
}

// Cuts reports whether n bytes are not a whole number of samples, where that says that the client is careless: a
// sample of 16 bits or less has no business in two frames.
func (in *input) Cuts(n int) bool {
	return in.trans == nil && in.format.Channels == 1 && in.format.Bits == 16 && n%2 != 0
}

// Ready is where samples come out that ffmpeg decoded in its own time; nil for all other audio.
func (in *input) Ready() <-chan []int16 {
	if in.trans == nil {
		return nil
	}
	return in.trans.out
}

// transcoded takes samples from ffmpeg.
func (in *input) transcoded(samples []int16) error { return in.hear(samples, transcodeRate) }

// Flush decodes what is waiting only because more might come. It is for Finalize: the stream may go on.
func (in *input) Flush(ctx context.Context) error {
	if in.known || len(in.held) == 0 {
		return nil
	}
	b := in.held
	in.held = nil
	err := in.look(ctx, b)
	switch {
	case err != nil:
		return err
	case in.trans != nil:
		return in.trans.Write(ctx, b, in.transcoded)
	case in.inHeader:
		in.held = b
		return nil
	}
	return in.samples(b)
}

// Finish decodes the rest. Nothing may be written after it.
func (in *input) Finish(ctx context.Context) error {
	if err := in.Flush(ctx); err != nil || in.trans == nil {
		return err
	}
	return in.trans.Finish(ctx, in.transcoded)
}

// Close ends ffmpeg, if it runs, and waits for it.
func (in *input) Close() {
	if in.trans != nil {
		in.trans.Close()
	}
}
