package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
)

// transcodeRate is what compressed audio is decoded to, in Hz: the rate of the service's own recognizer.
const transcodeRate = 16000

// A transcoder is one ffmpeg process that decodes one stream of compressed audio. One goroutine calls its methods.
type transcoder struct {
	cancel context.CancelFunc
	cmd    *exec.Cmd
	in     chan []byte  // closed by Finish
	out    chan []int16 // closed when ffmpeg ends
	wait   sync.WaitGroup
	ended  bool // Finish was called
	heard  bool // samples came out
}

// startTranscoder starts ffmpeg for a container. The container is named rather than probed for: probing costs
// delay, and formats that can name other files must not be chosen by a stranger's bytes.
//
// The audio is what Write is given, or, if file is not empty, that file: some containers keep at their end what is
// needed to read their beginning.
func startTranscoder(ctx context.Context, program, name, file string) (*transcoder, error) {
	path, err := exec.LookPath(program)
	if err != nil || program == "-" {
		return nil, fmt.Errorf("%w: %s audio needs ffmpeg, which is not installed here", errUndecodable, name)
	}
	protocol, source := "pipe", "pipe:0"
	if file != "" {
		protocol, source = "file,pipe", "file:"+file
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := child(ctx, path, "-hide_banner", "-loglevel", "error", "-nostdin",
		"-flags", "low_delay", "-probesize", "4096", "-analyzeduration", "0",
		"-protocol_whitelist", protocol, "-f", name, "-i", source,
		"-vn", "-sn", "-dn", "-ac", "1", "-ar", strconv.Itoa(transcodeRate), "-f", "s16le", "-flush_packets", "1", "pipe:1")
	stdin, err := cmd.StdinPipe()
	if err == nil {
		var stdout io.ReadCloser
		if stdout, err = cmd.StdoutPipe(); err == nil {
			t := &transcoder{cancel: cancel, cmd: cmd, in: make(chan []byte), out: make(chan []int16)}
			if err = cmd.Start(); err == nil {
				t.wait.Go(func() { t.fill(ctx, stdin) })
				t.wait.Go(func() { t.drain(ctx, stdout) })
				return t, nil
			}
		}
	}
	cancel()
	return nil, fmt.Errorf("start ffmpeg: %w", err)
}

// fill hands ffmpeg what comes in. If ffmpeg is gone the rest is dropped; drain tells.
func (t *transcoder) fill(ctx context.Context, stdin io.WriteCloser) {
	defer stdin.Close()
	for gone := false; ; {
		select {
		case b, ok := <-t.in:
			if !ok {
				return
			}
			if !gone {
				_, err := stdin.Write(b)
				gone = err != nil
			}
		case <-ctx.Done():
			return
		}
	}
}

// drain passes decoded samples on until ffmpeg closes its output.
func (t *transcoder) drain(ctx context.Context, stdout io.Reader) {
	defer close(t.out)
	buf := make([]byte, 8192)
	for kept := 0; ; {
		n, err := stdout.Read(buf[kept:])
		n += kept
		samples := make([]int16, n/2)
		for i := range samples {
			samples[i] = int16(binary.LittleEndian.Uint16(buf[2*i:]))
		}
		kept = copy(buf, buf[n-n%2:n])
		if len(samples) > 0 {
			select {
			case t.out <- samples:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Write passes bytes to ffmpeg and, while it waits for that, samples to hear. Doing both at once is what keeps
// two full pipes from waiting for each other.
func (t *transcoder) Write(ctx context.Context, b []byte, hear func([]int16) error) error {
	b = bytes.Clone(b) // fill has it still when the caller reuses it
	for {
		select {
		case t.in <- b:
			return nil
		case samples, ok := <-t.out:
			if !ok {
				return t.failure()
			}
			t.heard = true
			if err := hear(samples); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Finish ends the input and processes the remaining audio. Audio that yielded no sample at all is undecodable.
func (t *transcoder) Finish(ctx context.Context, hear func([]int16) error) error {
	if t.ended {
		return nil
	}
	t.ended = true
	close(t.in)
	for {
		select {
		case samples, ok := <-t.out:
			if !ok {
				if !t.heard {
					return t.failure()
				}
				return nil
			}
			t.heard = true
			if err := hear(samples); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *transcoder) failure() error {
	return fmt.Errorf("%w: ffmpeg could not decode it", errUndecodable)
}

// Close kills ffmpeg if it still runs and waits for it.
func (t *transcoder) Close() {
	t.cancel()
	t.wait.Wait()
	var exit *exec.ExitError
	if err := t.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return // killed on purpose
	}
}
