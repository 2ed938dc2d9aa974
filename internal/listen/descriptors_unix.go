//go:build unix

package listen

import (
	"math"
	"syscall"
)

// RaiseDescriptors raises the number of files and sockets that this process may have open (RLIMIT_NOFILE) as far as it may by
// itself, and returns it. Go's runtime has mostly done so already.
func RaiseDescriptors() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	if limit.Cur < limit.Max {
		raised := limit
		raised.Cur = limit.Max
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)), nil //nolint:unconvert // it is an int64 on FreeBSD
}
