package webhooks

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"aldeabridge/events"
)

func TestMetadataAddressesAreRefusedToEverybody(t *testing.T) {
	for _, c := range []struct {
		address string
		refused bool
	}{
		{"169.254.169.254", true},
		{"169.254.0.1", true},
		{"169.254.170.2", true},               // containers' credentials
		{"::ffff:169.254.169.254", true},      // mapped
		{"::169.254.169.254", true},           // compatible
		{"64:ff9b::169.254.169.254", true},    // NAT64
		{"64:ff9b::a9fe:a9fe", true},          // the same
		{"64:ff9b:1::a9fe:a9fe", true},        // local NAT64, last four bytes
		{"64:ff9b:1:a9fe:00a9:fe00::", true},  // local NAT64, prefix of 48 bits
		{"2002:a9fe:a9fe::1", true},           // 6to4
		{"fe80::1", true},                     // link-local
		{"fe80::1%eth0", true},                // with a zone
		{"febf:ffff::1", true},                // the end of fe80::/10
		{"fd00:ec2::254", true},               // AWS
		{"::ffff:169.253.255.255", false},     // just before
		{"169.255.0.0", false},                // just after
		{"fec0::1", false},                    // just after fe80::/10
		{"fd00:ec2::253", false},              // a neighbour
		{"127.0.0.1", false},                  // the operator may
		{"::1", false},                        // the same
		{"10.0.0.1", false},                   // the same
		{"192.168.169.254", false},            // the same
		{"64:ff9b::10.0.0.1", false},          // the same, translated
		{"2002:0a00:0001::1", false},          // the same, tunnelled
		{"93.184.215.14", false},              // public
		{"2606:4700:4700::1111", false},       // public
		{"64:ff9b:1:0a00:0000:0100::", false}, // local NAT64 of 10.0.0.1
	} {
		address := net.JoinHostPort(c.address, "80")
		if err := checkConnect("tcp", address, nil); errors.Is(err, ErrAddressRefused) != c.refused || err != nil != c.refused {
			t.Errorf("%s: got %v, want refused %t", c.address, err, c.refused)
		}
	}
}

func TestAnAddressThatCannotBeReadIsRefused(t *testing.T) {
	for _, address := range []string{"", "169.254.169.254", "metadata:80", "2852039166:80", "0xa9fea9fe:80", "::1:80"} {
		if err := checkConnect("tcp", address, nil); !errors.Is(err, ErrAddressRefused) {
			t.Errorf("%q: got %v, want ErrAddressRefused", address, err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add([]byte{169, 254, 169, 254})
	f.Add(netip.MustParseAddr("64:ff9b::a9fe:a9fe").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		err := checkAddress(a)
		if a.IsLinkLocalUnicast() && err == nil {
			t.Fatalf("%s is link-local and was not refused", a)
		}
		if mapped := netip.AddrFrom16(a.As16()); errors.Is(checkAddress(mapped), ErrAddressRefused) != (err != nil) {
			t.Fatalf("%s and %s are not treated alike", a, mapped)
		}
	})
}

// fakeDNS answers every question for an IPv4 address with ip, and all others with nothing, in memory.
func fakeDNS(ip [4]byte) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for answerDNS(theirs, ip) == nil {
			}
		}()
		return ours, nil
	}}
}

// answerDNS answers one query as over TCP (RFC 1035 section 4.2.2).
func answerDNS(c net.Conn, ip [4]byte) error {
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, query); err != nil {
		return err
	}
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the last label, type and class
	out := append([]byte{}, query[:end]...)
	out[2], out[3] = 0x81, 0x80         // an answer without error
	copy(out[4:12], []byte{0, 1, 7: 0}) // one question, nothing else
	if query[end-3] == 1 {              // type A
		out[7] = 1
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		out = append(out, ip[:]...)
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	return err
}

func TestAMetadataServiceIsNotReachedUnderAnyName(t *testing.T) {
	for _, url := range []string{
		"http://169.254.169.254/latest/meta-data",
		"http://[::ffff:169.254.169.254]/",
		"http://[fe80::1%25lo]/",
		"http://innocent.example./hook",
	} {
		attempts := make(chan Attempt, 1)
		journal := newFakeJournal()
		d, err := New(Config{
			Endpoints: []Endpoint{{Name: "main", URL: url, Secrets: []Secret{testSecret}}},
			Journal:   journal,
			Resolver:  fakeDNS([4]byte{169, 254, 169, 254}),
			Observe:   func(a Attempt) { attempts <- a },
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		journal.append("A", events.TypeCallStarted)
		if err := d.Drain(guard(t)); err != nil {
			t.Fatal(err)
		}
		stop()
		a := <-attempts
		if a.Class != ClassAddressRefused || !errors.Is(a.Err, ErrAddressRefused) || !strings.Contains(a.Err.Error(), "not allowed") {
			t.Errorf("%s: got class %q, error %v", url, a.Class, a.Err)
		}
		if got := journal.state("main", 1); got != "dead:address_refused" {
			t.Errorf("%s: got state %q", url, got)
		}
	}
}

// noDNS knows no name.
func noDNS() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no network here")
	}}
}
