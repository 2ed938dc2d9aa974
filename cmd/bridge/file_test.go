package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out")
	cut := errors.New("cut")
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			if _, err := os.Stat(file); text == "first" && err == nil {
				t.Error("the file is there before it is whole")
			}
			_, werr := io.WriteString(w, text)
			return errors.Join(werr, err)
		}
	}
	if err := writeWhole(file, false, write("half", cut)); !errors.Is(err, cut) {
		t.Errorf("got %v, want the error of what was written", err)
	}
	if err := writeWhole(file, false, write("first", nil)); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(file, false, func(io.Writer) error { t.Error("asked for what cannot be kept"); return nil }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if err := writeWhole(file, true, write("half", cut)); !errors.Is(err, cut) {
		t.Errorf("got %v, want the error of what was written", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "first" {
		t.Errorf("got %q, want the first to be kept", b)
	}
	if err := writeWhole(file, true, write("second", nil)); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(file); string(b) != "second" {
		t.Errorf("got %q, want it replaced", b)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file only its owner reads", info, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("got %v, want nothing beside the file", left)
	}
}

// Another process made the file while ours was being written.
func TestAFileThatAppearedMeanwhileIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	err := writeWhole(file, false, func(io.Writer) error { return os.WriteFile(file, []byte("theirs"), 0o600) })
	if b, _ := os.ReadFile(file); !errors.Is(err, fs.ErrExist) || string(b) != "theirs" {
		t.Errorf("got %q and %v, want theirs and fs.ErrExist", b, err)
	}
}
