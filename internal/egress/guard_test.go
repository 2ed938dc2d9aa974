package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
)

// closed are the first and the last addresses of all networks that strangers may not name.
var closed = []string{
	"0.0.0.0", "0.0.0.1", "0.255.255.255",
	"10.0.0.0", "10.255.255.255",
	"100.64.0.0", "100.127.255.255",
	"127.0.0.0", "127.0.0.1", "127.255.255.255",
	"169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255",
	"172.16.0.0", "172.31.255.255",
	"192.0.0.0", "192.0.0.192", "192.0.0.255",
	"192.0.2.0", "192.0.2.255",
	"192.88.99.0", "192.88.99.255",
	"192.168.0.0", "192.168.255.255",
	"198.18.0.0", "198.19.255.255",
	"198.51.100.0", "198.51.100.255",
	"203.0.113.0", "203.0.113.255",
	"224.0.0.0", "239.255.255.255",
	"240.0.0.0", "255.255.255.254", "255.255.255.255",
	"::", "::1", "::ffff:0:0", "::7f00:1",
	"64:ff9b::", "64:ff9b::ffff:ffff", "64:ff9b::101:101",
	"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
	"100::", "100::ffff:ffff:ffff:ffff",
	"2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
	"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
	"2002::", "2002:101:101::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
	"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"4000::", "1fff:ffff::", // not allocated
	"fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fe80::", "fe80::1", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
}

// open are well-known public addresses, and those just outside of the closed networks.
var open = []string{
	"1.1.1.1", "8.8.8.8", "93.184.215.14", "140.82.121.4",
	"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
	"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.1.255",
	"192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
	"198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
	"2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::",
	"2003::1", "2400:cb00::1", "2606:4700:4700::1111", "2620:fe::fe", "2a00:1450:4001::1", "3ffe:ffff::1", "3fff:1000::",
}

// carried returns the ways in which an IPv6 address can carry an IPv4 address.
func carried(a netip.Addr) map[string]netip.Addr {
	if !a.Is4() {
		return nil
	}
	b := a.As4()
	in := func(bytes ...byte) netip.Addr { return netip.AddrFrom16([16]byte(bytes)) }
	return map[string]netip.Addr{
		"mapped":         netip.AddrFrom16(a.As16()),
		"compatible":     in(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b[0], b[1], b[2], b[3]),
		"NAT64":          in(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, b[0], b[1], b[2], b[3]),
		"local NAT64":    in(0, 0x64, 0xff, 0x9b, 0, 1, 7, 7, 0, 7, 7, 0, b[0], b[1], b[2], b[3]),
		"local NAT64/48": in(0, 0x64, 0xff, 0x9b, 0, 1, b[0], b[1], 0, b[2], b[3], 0, 0, 0, 0, 0),
		"6to4":           in(0x20, 2, b[0], b[1], b[2], b[3], 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
	}
}

// wantRefused checks what a guard says about an address.
func wantRefused(t *testing.T, g Guard, address netip.Addr, want bool) {
	t.Helper()
	err := g.Control("tcp", netip.AddrPortFrom(address, 443).String(), nil)
	if (err != nil) != want || err != nil && !errors.Is(err, ErrAddressRefused) {
		t.Errorf("%s: got %v, want refused %t", address, err, want)
	}
}

func TestStrangersReachPublicAddressesOnly(t *testing.T) {
	for _, text := range closed {
		a := netip.MustParseAddr(text)
		wantRefused(t, Guard{}, a, true)
		for _, c := range carried(a) {
			wantRefused(t, Guard{}, c, true)
		}
		if a.Is6() {
			wantRefused(t, Guard{}, a.WithZone("eth0"), true)
		}
	}
	for _, text := range open {
		a := netip.MustParseAddr(text)
		wantRefused(t, Guard{}, a, false)
		for how, c := range carried(a) {
			wantRefused(t, Guard{}, c, how != "mapped")
		}
	}
}

func TestTheOperatorReachesEverythingButMetadata(t *testing.T) {
	operator := Guard{Operator: true}
	for _, c := range []struct {
		address string
		refused bool
	}{
		{"169.254.169.254", true},
		{"169.254.0.1", true},
		{"169.254.170.2", true},               // containers' credentials
		{"fe80::1", true},                     // link-local
		{"fe80::1%eth0", true},                // with a zone
		{"febf:ffff::1", true},                // the end of fe80::/10
		{"fd00:ec2::254", true},               // AWS
		{"fd00:ec2::254%eth0", true},          // with a zone
		{"64:ff9b:1:a9fe:a9:fe00::", true},    // local NAT64, prefix of 48 bits
		{"::ffff:169.253.255.255", false},     // just before
		{"169.255.0.0", false},                // just after
		{"fec0::1", false},                    // just after fe80::/10
		{"fd00:ec2::253", false},              // a neighbor
		{"127.0.0.1", false},                  // the operator may
		{"::1", false},                        // the same
		{"::", false},                         // the same
		{"0.0.0.0", false},                    // the same
		{"10.0.0.1", false},                   // the same
		{"192.168.169.254", false},            // the same
		{"64:ff9b::10.0.0.1", false},          // the same, translated
		{"2002:0a00:0001::1", false},          // the same, tunnelled
		{"64:ff9b:1:0a00:0000:0100::", false}, // local NAT64 of 10.0.0.1
		{"93.184.215.14", false},              // public
		{"2606:4700:4700::1111", false},       // public
	} {
		a := netip.MustParseAddr(c.address)
		wantRefused(t, operator, a, c.refused)
		for _, also := range carried(a) {
			wantRefused(t, operator, also, c.refused)
		}
	}
}

func TestAnAddressThatCannotBeReadIsRefused(t *testing.T) {
	for _, address := range []string{"", "1.1.1.1", "metadata:443", "2852039166:443", "0xa9fea9fe:443", "0251.0376.0251.0376:443", "127.1:443", "::1:443", "1.1.1.1:x", "/run/docker.sock"} {
		for _, g := range []Guard{{}, {Operator: true}} {
			if err := g.Control("tcp", address, nil); !errors.Is(err, ErrAddressRefused) {
				t.Errorf("%q: got %v, want ErrAddressRefused", address, err)
			}
		}
	}
}

func TestStrangersReachTheirPortsOnly(t *testing.T) {
	for _, c := range []struct {
		ports   []uint16
		port    uint16
		refused bool
	}{
		{nil, 443, false}, {nil, 8443, false}, {nil, 80, true}, {nil, 22, true}, {nil, 0, true}, {nil, 4430, true},
		{[]uint16{9000}, 9000, false}, {[]uint16{9000}, 443, true},
	} {
		err := Guard{Ports: c.ports}.Control("tcp", fmt.Sprint("1.1.1.1:", c.port), nil)
		if errors.Is(err, ErrAddressRefused) != c.refused {
			t.Errorf("port %d of %v: got %v, want refused %t", c.port, c.ports, err, c.refused)
		}
		if err := (Guard{Operator: true, Ports: c.ports}).Control("tcp", fmt.Sprint("1.1.1.1:", c.port), nil); err != nil {
			t.Errorf("port %d: got %v, but it is the operator", c.port, err)
		}
	}
}

func TestAllowedNetworksAreReachedAndMetadataIsNot(t *testing.T) {
	networks := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	for _, c := range []struct {
		allow   []netip.Prefix
		address string
		refused bool
	}{
		{networks("10.1.0.0/16"), "10.1.2.3", false},
		{networks("10.1.0.0/16"), "::ffff:10.1.2.3", false},
		{networks("10.1.0.0/16"), "10.2.2.3", true},
		{networks("10.1.0.0/16"), "64:ff9b::10.1.2.3", true}, // the translator is not allowed
		{networks("64:ff9b::/96"), "64:ff9b::1.1.1.1", false},
		{networks("64:ff9b::/96"), "64:ff9b::10.1.2.3", true}, // the network behind it is not allowed
		{networks("64:ff9b::/96", "10.1.0.0/16"), "64:ff9b::10.1.2.3", false},
		{networks("fd00::/8"), "fd12::1", false},
		{networks("fd00::/8"), "fd12::1%eth0", false},
		{networks("::1/128"), "::1", false},
		{networks("0.0.0.0/0", "::/0"), "127.0.0.1", false},
		{networks("0.0.0.0/0", "::/0"), "169.254.169.254", true},
		{networks("0.0.0.0/0", "::/0"), "64:ff9b::169.254.169.254", true},
		{networks("0.0.0.0/0", "::/0"), "fd00:ec2::254", true},
		{networks("0.0.0.0/0", "::/0"), "fe80::1%eth0", true},
	} {
		wantRefused(t, Guard{Allow: c.allow}, netip.MustParseAddr(c.address), c.refused)
	}
}

func TestOurOwnListenersAreRefusedToStrangers(t *testing.T) {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	own := func(texts ...string) (all []netip.AddrPort) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddrPort(text))
		}
		return all
	}
	for _, c := range []struct {
		own     []netip.AddrPort
		address string
		refused bool
	}{
		{own("1.1.1.1:443"), "1.1.1.1:443", true},
		{own("1.1.1.1:443"), "[::ffff:1.1.1.1]:443", true},
		{own("[::ffff:1.1.1.1]:443"), "1.1.1.1:443", true},
		{own("1.1.1.1:443"), "1.1.1.1:8443", false},
		{own("1.1.1.1:443"), "1.1.1.2:443", false},
		{own("0.0.0.0:443"), "1.1.1.1:443", false},
		{own("0.0.0.0:443"), "127.0.0.1:443", true},
		{own("0.0.0.0:443"), "127.0.0.1:8443", false},
		{own("[::]:443"), "127.0.0.1:443", true},
		{own("[::]:443"), "[::1]:443", true},
		{own("[::]:443"), "[::]:443", true},
		{own("0.0.0.0:443"), "0.0.0.0:443", true},
		{[]netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, 443)}, "127.0.0.1:443", true},
	} {
		err := Guard{Own: c.own, Allow: everything}.Control("tcp", c.address, nil)
		if errors.Is(err, ErrAddressRefused) != c.refused {
			t.Errorf("%s with %v: got %v, want refused %t", c.address, c.own, err, c.refused)
		}
		if err := (Guard{Own: c.own, Operator: true}).Control("tcp", c.address, nil); err != nil {
			t.Errorf("%s: got %v, but it is the operator", c.address, err)
		}
	}
	for _, i := range interfaces {
		a := netip.MustParsePrefix(i.String()).Addr()
		wantRefused(t, Guard{Own: own("0.0.0.0:443"), Allow: everything}, a, true)
	}
}

func FuzzAddress(f *testing.F) {
	for _, text := range append(closed, open...) {
		f.Add(netip.MustParseAddr(text).AsSlice())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		refused := func(g Guard, a netip.Addr) bool {
			return g.Control("tcp", netip.AddrPortFrom(a, 443).String(), nil) != nil
		}
		strict, operator := refused(Guard{}, a), refused(Guard{Operator: true}, a)
		if a.IsLinkLocalUnicast() && !operator {
			t.Fatalf("%s is link-local and was not refused", a)
		}
		if operator && !strict {
			t.Fatalf("%s is refused to the operator and not to strangers", a)
		}
		if !a.Unmap().IsGlobalUnicast() && !strict || a.Unmap().IsPrivate() && !strict {
			t.Fatalf("%s is not public and was not refused", a)
		}
		if mapped := netip.AddrFrom16(a.As16()); refused(Guard{}, mapped) != strict || refused(Guard{Operator: true}, mapped) != operator {
			t.Fatalf("%s and %s are not treated alike", a, mapped)
		}
	})
}
