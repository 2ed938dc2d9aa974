package voice

import (
	"errors"
	"fmt"
	"mime"
	"path"
	"strconv"
	"strings"

	"aldeabridge/codec"
)

// A Format is the encoding of raw audio. The zero value means a WAV file, whose header has the format.
type Format struct {
	Encoding  codec.Encoding
	Rate      codec.Rate
	Channels  int
	Bits      int  // a sample of one channel
	BigEndian bool // of PCM of 16 bits
}

// The formats of telephony: 8000 Hz, mono. They must not be changed.
var (
	MuLaw = Format{Encoding: codec.EncodingMuLaw, Rate: 8000, Channels: 1, Bits: 8}
	ALaw  = Format{Encoding: codec.EncodingALaw, Rate: 8000, Channels: 1, Bits: 8}
)

// Linear16 is 16-bit little-endian PCM, mono.
func Linear16(rate codec.Rate) Format {
	return Format{Encoding: codec.EncodingPCM, Rate: rate, Channels: 1, Bits: 16}
}

// header returns the format as the header of a WAV file of unknown length.
func (f Format) header() codec.WAVHeader {
	return codec.WAVHeader{Encoding: f.Encoding, Rate: f.Rate, Channels: f.Channels, Bits: f.Bits, Length: -1}
}

// check returns an error if audio with this header cannot be played.
func check(h codec.WAVHeader) error {
	if h.Rate < codec.MinRate || h.Rate > codec.MaxRate {
		return fmt.Errorf("a sample rate of %d Hz; possible are %d to %d", h.Rate, codec.MinRate, codec.MaxRate)
	}
	if h.Channels < 1 || h.Channels > codec.MaxChannels {
		return fmt.Errorf("%d channels; possible are 1 to %d", h.Channels, codec.MaxChannels)
	}
	return nil
}

// playable lists the supported formats, for error messages.
const playable = "WAV, or raw µ-law, A-law or 16-bit PCM with its own content type (audio/PCMU, audio/PCMA, audio/L16;rate=…)"

// formatOf returns the format of raw audio by its content type and, where that says nothing, by the name of its file. It
// returns the zero Format where only the first bytes can tell.
func formatOf(contentType, name string) (Format, error) {
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return Format{}, fmt.Errorf("the content type cannot be read; %s can be played", playable)
	}
	switch kind {
	case "audio/basic", "audio/pcmu", "audio/mulaw", "audio/x-mulaw", "audio/ulaw", "audio/x-ulaw":
		return MuLaw.with(params)
	case "audio/pcma", "audio/alaw", "audio/x-alaw":
		return ALaw.with(params)
	case "audio/l16":
		f := Linear16(44100)
		f.BigEndian = true // RFC 2586
		return f.with(params)
	case "audio/pcm", "audio/x-pcm":
		return Linear16(24000).with(params)
	case "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave", "application/x-wav":
		return Format{}, nil
	case "application/octet-stream", "binary/octet-stream", "application/binary":
		switch strings.ToLower(path.Ext(name)) {
		case ".ulaw", ".mulaw", ".ul", ".pcmu":
			return MuLaw, nil
		case ".alaw", ".al", ".pcma":
			return ALaw, nil
		}
		return Format{}, nil
	}
	if strings.HasPrefix(kind, "audio/") {
		return Format{}, fmt.Errorf("%s cannot be played; %s can", kind, playable)
	}
	return Format{}, fmt.Errorf("%s is not audio; %s can be played", kind, playable)
}

// with returns f with the rate and the channels of a content type's parameters.
func (f Format) with(params map[string]string) (Format, error) {
	if v, ok := params["rate"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			return f, errors.New("the rate in the content type is not a number")
		}
		f.Rate = codec.Rate(n)
	}
	if v, ok := params["channels"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			return f, errors.New("the number of channels in the content type is not a number")
		}
		f.Channels = n
	}
	return f, check(f.header())
}
