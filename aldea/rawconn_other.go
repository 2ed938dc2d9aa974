//go:build !linux

package aldea

import "net"

// plain returns c.
func plain(c net.Conn) net.Conn { return c }
