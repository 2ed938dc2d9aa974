package webhooks

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrAddressRefused means that a host's address is one of a cloud's metadata service, or could be. Nobody
// needs a webhook there, and what answers there are the machine's own credentials.
var ErrAddressRefused = errors.New("webhooks: address not allowed (link-local or cloud metadata)")

// refusedPrefixes are refused to everybody, also to the operator.
var refusedPrefixes = [...]netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),    // link-local, RFC 3927; 169.254.169.254 is most clouds' metadata
	netip.MustParsePrefix("fe80::/10"),         // link-local, RFC 4291
	netip.MustParsePrefix("fd00:ec2::254/128"), // the metadata service of AWS over IPv6
}

// Prefixes whose addresses carry an IPv4 address.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052: the last four bytes
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215: last four, or around byte 8 as RFC 6052 section 2.2 says
	sixToFour  = netip.MustParsePrefix("2002::/16")      // RFC 3056: bytes 2 to 5
	compatible = netip.MustParsePrefix("::/96")          // RFC 4291 section 2.5.5.1, deprecated
)

// checkConnect is a net.Dialer's Control: it sees the address that the socket is about to connect to, after
// every resolution, and so no name, redirect of a name or odd spelling gets past it.
func checkConnect(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: unreadable address", ErrAddressRefused)
	}
	return checkAddress(at.Addr())
}

// checkAddress returns an error that wraps ErrAddressRefused if nobody may connect to a.
func checkAddress(a netip.Addr) error {
	a = a.WithZone("").Unmap() // a prefix contains no address that has a zone
	for _, candidate := range append(embedded(a), a) {
		for _, p := range refusedPrefixes {
			if p.Contains(candidate) {
				return fmt.Errorf("%w: %s", ErrAddressRefused, a)
			}
		}
	}
	return nil
}

// embedded returns the IPv4 addresses that a may lead to through a translator or a tunnel.
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	last := netip.AddrFrom4([4]byte(b[12:16]))
	switch {
	case nat64.Contains(a), compatible.Contains(a):
		return []netip.Addr{last}
	case nat64Local.Contains(a):
		return []netip.Addr{last, netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})}
	case sixToFour.Contains(a):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	}
	return nil
}
