package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"aldeabridge/codec"
)

const (
	rate         = 16000
	interimEvery = rate / 4 // samples between two interims
	maxFrame     = 1 << 20  // bytes; more is not our protocol
)

// The types of frames.
const (
	frameAudio = 'A'
	frameEnd   = 'E'
	frameQuit  = 'Q'
)

// recognizer is what serve needs of a decoder.
type recognizer interface {
	Write(samples []int16) error
	End() error
	Words() []word
}

// serve speaks the protocol of the package comment until the input ends.
func serve(stdin io.Reader, stdout io.Writer, model string, verbose bool) error {
	d, err := newDecoder(model, verbose)
	if err != nil {
		_ = writeLine(stdout, `{"type":"error","message":`+quote(err.Error()+"; "+install)+`}`) // the exit status tells as well
		return err
	}
	defer d.Close()
	if err := writeLine(stdout, `{"type":"ready","engine":"PocketSphinx"}`); err != nil {
		return err
	}
	err = converse(bufio.NewReaderSize(stdin, 1<<16), stdout, d)
	if err != nil {
		_ = writeLine(stdout, `{"type":"error","message":`+quote(err.Error())+`}`)
	}
	return err
}

// converse answers frames until one says quit.
func converse(in io.Reader, out io.Writer, d recognizer) error {
	u := utterance{decoder: d, out: out}
	for {
		kind, payload, err := readFrame(in)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case kind == frameQuit:
			return nil
		case kind == frameEnd:
			err = u.end()
		case kind == frameAudio:
			err = u.audio(codec.DecodeLinear16(nil, payload))
		default:
			err = fmt.Errorf("unknown frame type %q", kind)
		}
		if err != nil {
			return err
		}
	}
}

// readFrame reads one frame. Between frames the input may end.
func readFrame(in io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("frame of %d bytes", n)
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return 0, nil, fmt.Errorf("frame cut short: %w", io.ErrUnexpectedEOF)
	}
	return head[0], payload, nil
}

// utterance feeds the decoder and counts samples to the next interim.
type utterance struct {
	decoder recognizer
	out     io.Writer
	samples int // since the last interim
}

func (u *utterance) audio(samples []int16) error {
	for len(samples) > 0 {
		n := min(len(samples), interimEvery-u.samples)
		if err := u.decoder.Write(samples[:n]); err != nil {
			return err
		}
		samples = samples[n:]
		if u.samples += n; u.samples == interimEvery {
			u.samples = 0
			if err := writeWords(u.out, "interim", u.decoder.Words()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *utterance) end() error {
	u.samples = 0
	if err := u.decoder.End(); err != nil {
		return err
	}
	return writeWords(u.out, "final", u.decoder.Words())
}

// writeWords writes a line with words.
func writeWords(out io.Writer, kind string, words []word) error {
	b := []byte(`{"type":"` + kind + `","words":[`)
	for i, w := range words {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = append(b, quote(w.text)...)
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(w.start), 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(w.end), 10)
		b = append(b, ',')
		b = strconv.AppendFloat(b, w.probability, 'f', 4, 64)
		b = append(b, ']')
	}
	return writeLine(out, string(b)+`]}`)
}

func writeLine(out io.Writer, line string) error {
	_, err := io.WriteString(out, line+"\n")
	return err
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return `""`
	}
	return string(b)
}
