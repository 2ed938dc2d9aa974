package listen

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// addressOf returns the address of a connection's peer, or the zero Addr if it has none.
func addressOf(c net.Conn) netip.Addr {
	if c.RemoteAddr() == nil {
		return netip.Addr{}
	}
	return parse(c.RemoteAddr().String())
}

// parse reads an address with or without a port.
func parse(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// network returns the address that a client is counted by: one client has a whole /64 of IPv6.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // an IPv6 address has one
	return p.Addr()
}

// trusted tells whether an address is one of a list of networks.
func trusted(networks []netip.Prefix, a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// client returns the address of the client that trusted proxies forward: the last in X-Forwarded-For that is not a trusted proxy's. What
// stands before it can be made up. It is the zero Addr if the header says nothing usable.
func client(networks []netip.Prefix, forwarded []string) (a netip.Addr) {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		next := parse(hop)
		if !next.IsValid() {
			return a
		}
		if a = next; !trusted(networks, a) {
			return a
		}
	}
	return a
}
