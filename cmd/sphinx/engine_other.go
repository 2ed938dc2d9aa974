//go:build !linux && !darwin

package main

import (
	"fmt"
	"io"
	"runtime"
)

// decoder is what this system does not have.
type decoder struct{}

func newDecoder(string, bool) (*decoder, error) {
	return nil, fmt.Errorf("PocketSphinx %w: not available on %s", errMissing, runtime.GOOS)
}

func checkLibraries(stdout io.Writer) error {
	_, err := newDecoder("", false)
	fmt.Fprintf(stdout, "libraries: %v\n", err)
	return err
}

func (*decoder) Close()              {}
func (*decoder) Write([]int16) error { return nil }
func (*decoder) End() error          { return nil }
func (*decoder) Words() []word       { return nil }
