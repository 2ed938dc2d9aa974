//go:build unix

package journal

import (
	"errors"
	"syscall"
)

// readOnly reports whether the file system of a directory is read-only.
func readOnly(dir string) bool {
	const writable = 2 // W_OK
	return errors.Is(syscall.Access(dir, writable), syscall.EROFS)
}
