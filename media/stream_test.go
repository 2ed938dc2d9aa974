package media_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

func TestACallArrivesWhole(t *testing.T) {
	srv := serve(t, &media.Server{})
	in, out := ramp(8000), ramp(8000)[80:]
	call := mediatest.Call{
		URL: srv.url(), From: "+15550001", To: "+15550002", Params: map[string]string{"tenant": "t1"},
		Inbound: in, Outbound: out, Speed: 20,
		DTMF: []mediatest.Digit{{At: 500 * time.Millisecond, Digit: "5"}},
	}
	result, err := call.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d := srv.next(t)
	if d.reason != media.EndStop {
		t.Errorf("reason: got %q, want %q", d.reason, media.EndStop)
	}
	if got := d.heard.of(media.TrackInbound); !bytes.Equal(got, in) {
		t.Errorf("inbound: got %d samples, want these %d", len(got), len(in))
	}
	if got := d.heard.of(media.TrackOutbound); !bytes.HasPrefix(got, out) || len(got) != len(in) {
		t.Errorf("outbound: got %d samples, want %d and silence up to %d", len(got), len(out), len(in))
	}
	if got := d.heard.digits; len(got) != 1 || got[0] != "5" || d.heard.at[0] != 500*time.Millisecond {
		t.Errorf("digits: got %q at %v, want 5 at 500ms", got, d.heard.at)
	}
	if d.start.From != "+15550001" || d.start.To != "+15550002" || len(d.start.Params) != 1 || d.start.Params["tenant"] != "t1" {
		t.Errorf("start: got %+v", d.start)
	}
	if result.Frames != 100 || result.CloseCode != 1000 || result.ByServer {
		t.Errorf("result: got %+v, want 100 frames and the server's close with 1000", result)
	}
	if d.stats.Frames != 100 || d.stats.Silence != 0 {
		t.Errorf("stats: got %+v, want 100 frames and no silence", d.stats)
	}
}
