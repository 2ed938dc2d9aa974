package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeWhole makes a file of what fill writes: under its name when all of it is on the disk, or not at all. It is
// readable by its owner only. A file that is there is replaced, or else kept, and that is an error that wraps
// fs.ErrExist.
func writeWhole(file string, replace bool, fill func(io.Writer) error) (err error) {
	exists := fmt.Errorf("%s: %w: it is kept as it is", file, fs.ErrExist)
	if _, err := os.Lstat(file); err == nil && !replace {
		return exists // before the work
	}
	dir := filepath.Dir(file)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*")
	if wrong := (*fs.PathError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s: cannot make a file in %s: %w", file, dir, wrong.Err) // not with the name of the temporary file
	}
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := errors.Join(fill(temp), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if replace {
		err = os.Rename(temp.Name(), file)
	} else if err = os.Link(temp.Name(), file); errors.Is(err, fs.ErrExist) {
		return exists
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
