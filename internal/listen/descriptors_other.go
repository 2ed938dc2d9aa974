//go:build !unix

package listen

import "errors"

// RaiseDescriptors fails: this system has no limit that can be asked for.
func RaiseDescriptors() (int, error) { return 0, errors.ErrUnsupported }
