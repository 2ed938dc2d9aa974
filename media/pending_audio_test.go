package media_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
)

// A recorder is a Receiver that records its calls.
type recorder []string

func (d *recorder) Audio(t media.Track, mulaw []byte) {
	*d = append(*d, fmt.Sprint(t, " ", len(mulaw)))
}
func (d *recorder) DTMF(digit string, at time.Duration) {
	*d = append(*d, fmt.Sprint("key ", digit, " at ", at))
}
func (d *recorder) Mark(name string) { *d = append(*d, "mark "+name) }

func TestWhatComesAtOneTickIsToldInOnePieceATrack(t *testing.T) {
	told := make(chan recorder, 1)
	srv := serve(t, &media.Server{Serve: func(ctx context.Context, st *media.Stream) {
		var d recorder
		st.Receive(ctx, &d)
		told <- d
	}})
	conn, err := net.Dial("tcp", srv.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	upgrade(t, conn)
	inbound := rawMedia(0)
	outbound := strings.Replace(inbound, `"inbound"`, `"outbound"`, 1)
	wire := masked(nil, strings.Replace(rawStart, `["inbound"]`, `["inbound","outbound"]`, 1))
	for _, m := range []string{
		inbound, outbound, strings.Replace(inbound, `"timestamp":"0"`, `"timestamp":"20"`, 1), strings.Replace(outbound, `"timestamp":"0"`, `"timestamp":"20"`, 1),
		`{"event":"dtmf","streamSid":"MZ0","dtmf":{"track":"inbound","digit":"5"}}`,
		strings.Replace(inbound, `"timestamp":"0"`, `"timestamp":"40"`, 1),
		`{"event":"mark","streamSid":"MZ0","mark":{"name":"hello"}}`,
		strings.Replace(inbound, `"timestamp":"0"`, `"timestamp":"60"`, 1),
		rawStop,
	} {
		wire = masked(wire, m)
	}
	if _, err := conn.Write(wire); err != nil {
		t.Fatal(err)
	}
	want := recorder{"inbound 320", "outbound 320", "key 5 at 40ms", "inbound 160", "mark hello", "inbound 160"}
	if got := <-told; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
