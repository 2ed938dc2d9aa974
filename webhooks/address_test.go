package webhooks

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"aldeabridge/events"
	"aldeabridge/internal/egress"
)

// fakeDNS is an in-memory DNS server: it answers each query for an IPv4 address with ip, and other queries without records.
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
		if a.Class != ClassAddressRefused || !errors.Is(a.Err, egress.ErrAddressRefused) || !strings.Contains(a.Err.Error(), "not allowed") {
			t.Errorf("%s: got class %q, error %v", url, a.Class, a.Err)
		}
		if got := journal.state("main", 1); got != "dead:address_refused" {
			t.Errorf("%s: got state %q", url, got)
		}
	}
}

// noDNS is a resolver that finds no name.
func noDNS() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no network here")
	}}
}
