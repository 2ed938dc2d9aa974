//go:build !unix

package journal

// A lock does nothing on this system. Only SQLite's own locks apply.
type lock struct{}

func takeLock(string) (*lock, error) { return &lock{}, nil }

func (*lock) release() error { return nil }
