package egress

import "net/netip"

// metadata addresses are refused always, also if the operator allows them: no webhook is there, and what answers are the
// machine's own credentials.
var metadata = [...]netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),    // link-local, RFC 3927; 169.254.169.254 is most clouds' metadata
	netip.MustParsePrefix("fe80::/10"),         // link-local, RFC 4291
	netip.MustParsePrefix("fd00:ec2::254/128"), // the metadata service of AWS over IPv6
}

// unicast is the allocated part of IPv6. Addresses outside are local, special or not allocated.
var unicast = netip.MustParsePrefix("2000::/3")

// special are not public although they look so: the IANA registries of special-purpose addresses.
var special = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this host, RFC 1122
	netip.MustParsePrefix("10.0.0.0/8"),      // private, RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),   // carriers' NAT, RFC 6598
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocols, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4, RFC 7526
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and 255.255.255.255
	netip.MustParsePrefix("2001::/23"),       // protocols, RFC 2928: Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation, RFC 3849
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("3fff::/20"),       // documentation, RFC 9637
}

// Networks whose addresses carry an IPv4 address.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052: the last four bytes
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215: last four, or around byte 8 as RFC 6052 section 2.2 says
	sixToFour  = netip.MustParsePrefix("2002::/16")      // RFC 3056: bytes 2 to 5
	compatible = netip.MustParsePrefix("::/96")          // RFC 4291 section 2.5.5.1, deprecated
)

// public says whether an address can be anybody's on the Internet.
func public(a netip.Addr) bool {
	return (a.Is4() || unicast.Contains(a)) && !within(special[:], a)
}

// within says whether any of the networks has an address.
func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 addresses that a may lead to through a translator or a tunnel.
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() || a.IsUnspecified() || a.IsLoopback() {
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
