//go:build !linux

package media

import "net"

// tickedListener returns l: there is no other way to read here than the Go runtime's.
func tickedListener(l net.Listener) net.Listener { return l }

// take returns false: the HTTP server keeps the connection.
func take(net.Conn) (c net.Conn, early []byte, ok bool) { return nil, nil, false }
