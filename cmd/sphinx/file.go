package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"aldeabridge/codec"
)

// transcribe prints one line for each recording: its name and its words. One decoder processes them all, as
// one caller.
func transcribe(stdout io.Writer, names []string, model string, verbose bool) error {
	d, err := newDecoder(model, verbose)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, name := range names {
		text, err := transcribeFile(d, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(stdout, "%s: %s\n", filepath.Base(name), text)
	}
	return nil
}

func transcribeFile(d *decoder, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	wav, err := codec.ReadWAV(f)
	if err != nil {
		return "", err
	}
	samples, err := codec.ConvertRate(wav.Mono(), wav.Rate, rate)
	if err != nil {
		return "", err
	}
	for len(samples) > 0 {
		n := min(len(samples), interimEvery)
		if err := d.Write(samples[:n]); err != nil {
			return "", err
		}
		samples = samples[n:]
	}
	if err := d.End(); err != nil {
		return "", err
	}
	var texts []string
	for _, w := range d.Words() {
		texts = append(texts, w.text)
	}
	return strings.Join(texts, " "), nil
}
