package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// ErrAddressRefused means that this program does not connect to the address that a URL leads to.
var ErrAddressRefused = errors.New("address not allowed")

// A Guard says where connections may go. The zero value is for URLs that are not the operator's. It may be used
// concurrently. The networks must not be changed after it is in use.
type Guard struct {
	// Operator is for the operator's own URLs: any network, port and scheme of HTTP, but no address that could be a
	// cloud's metadata service. Allow, Own and Ports are not looked at then.
	Operator bool
	// Allow are networks that need not be public. It does not open metadata services, and IPv4 networks
	// are written as such. An address that carries another one, as those of NAT64 do, needs both allowed.
	Allow []netip.Prefix
	// Own are the addresses that this program listens on. One without an address, or with 0.0.0.0 or ::, stands for
	// every address that this machine knows to be its own; one that is translated to it has to be named.
	Own []netip.AddrPort
	// Ports are those that may be connected to. Nil means 443 and 8443.
	Ports []uint16
	// Resolver looks up hosts. Nil means net.DefaultResolver.
	Resolver *net.Resolver
}

// Control is a net.Dialer's Control: it sees the address that the socket is about to connect to. Its errors wrap
// ErrAddressRefused.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: it cannot be read", ErrAddressRefused)
	}
	a := at.Addr().WithZone("").Unmap() // a prefix contains no address that has a zone
	leadsTo := append(embedded(a), a)
	for _, candidate := range leadsTo {
		if within(metadata[:], candidate) {
			return fmt.Errorf("%w: link-local or cloud metadata", ErrAddressRefused)
		}
	}
	switch {
	case g.Operator:
		return nil
	case !g.port(at.Port()):
		return fmt.Errorf("%w: port %d", ErrAddressRefused, at.Port())
	case g.own(netip.AddrPortFrom(a, at.Port())):
		return fmt.Errorf("%w: it is our own", ErrAddressRefused)
	}
	for _, candidate := range leadsTo {
		if !public(candidate) && !within(g.Allow, candidate) {
			return fmt.Errorf("%w: it is not public", ErrAddressRefused)
		}
	}
	return nil
}

// port says whether a port may be connected to.
func (g Guard) port(n uint16) bool {
	if g.Ports == nil {
		return n == 443 || n == 8443
	}
	return slices.Contains(g.Ports, n)
}

// own says whether this program listens at an address.
func (g Guard) own(at netip.AddrPort) bool {
	for _, l := range g.Own {
		a := l.Addr().WithZone("").Unmap()
		if l.Port() == at.Port() && (a == at.Addr() || (!a.IsValid() || a.IsUnspecified()) && thisMachine(at.Addr())) {
			return true
		}
	}
	return false
}

// thisMachine says whether an address is one of this machine's, or cannot be told not to be.
func thisMachine(a netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	return err != nil || a.IsLoopback() || a.IsUnspecified() || slices.ContainsFunc(addresses, func(one net.Addr) bool {
		p, err := netip.ParsePrefix(one.String())
		return err == nil && p.Addr().WithZone("").Unmap() == a
	})
}
