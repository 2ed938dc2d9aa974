package media_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

// A second stream of a call takes it over only if the first is gone or silent, or a one-time token shows that the carrier
// has moved the call.
func TestASecondStreamOfACall(t *testing.T) {
	const length, second = 20 * time.Second, 5 * time.Second // the first stream; when the second begins
	voice := ramp(int(length/time.Millisecond) * 8)
	for _, c := range []struct {
		name   string
		first  mediatest.Call
		within time.Duration // the second is refused or taken
		taken  bool
	}{
		{"while the first brings audio", mediatest.Call{Inbound: voice}, time.Second, false},
		{"while the first brings silence", mediatest.Call{Inbound: bytes.Repeat([]byte{0xFF}, len(voice))}, time.Second, false},
		{"while the first pauses for two seconds", mediatest.Call{Inbound: voice, Quiet: []mediatest.Span{{From: 4 * time.Second, To: 6 * time.Second}}}, 2 * time.Second, false},
		{"while the network of the first is slow", mediatest.Call{Inbound: voice, Stalls: []mediatest.Span{{From: 4 * time.Second, To: 6500 * time.Millisecond}}}, 3 * time.Second, false},
		{"when the first has lost its connection", mediatest.Call{Inbound: voice[:4*8000], HangUp: mediatest.Cut}, 200 * time.Millisecond, true},
		{"when the first was stopped", mediatest.Call{Inbound: voice[:4*8000]}, 200 * time.Millisecond, true},
		{"when the first lost its connection without a sign", mediatest.Call{Inbound: voice[:4900*8], HangUp: mediatest.Silent}, 3100 * time.Millisecond, true},
		{"when the first is silent for long", mediatest.Call{Inbound: voice, Quiet: []mediatest.Span{{From: time.Second, To: length}}}, 200 * time.Millisecond, true},
		{"when the first is lost soon after", mediatest.Call{Inbound: voice[:5040*8], HangUp: mediatest.Cut}, 200 * time.Millisecond, true},
		{"when the first never brought audio", mediatest.Call{Quiet: []mediatest.Span{{To: length}}, Hold: length}, 200 * time.Millisecond, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				begun := map[string]time.Duration{}
				heard := map[string]*earful{}
				start := time.Now()
				s := &media.Server{Insecure: true, IdleTimeout: time.Minute}
				s.Serve = func(ctx context.Context, st *media.Stream) {
					e := newEarful()
					mu.Lock()
					begun[st.Start().StreamSID], heard[st.Start().StreamSID] = time.Since(start), e
					mu.Unlock()
					st.Receive(ctx, e)
				}
				dial := inMemory(s)
				call := func(c mediatest.Call, stream string) (mediatest.Result, error) {
					c.URL, c.Dial, c.CallSID, c.StreamSID = "ws://bridge.example/media/twilio", dial, "CA1", stream
					return c.Run(t.Context())
				}
				var calling sync.WaitGroup
				calling.Go(func() { _, _ = call(c.first, "MZ1") })
				time.Sleep(second)
				after := mediatest.Call{Inbound: ramp(2 * 8000), Hold: 4 * time.Second}
				result, err := call(after, "MZ2")
				if err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				at, taken := begun["MZ2"]
				mu.Unlock()
				switch {
				case taken != c.taken:
					t.Errorf("taken %v, want %v: %+v", taken, c.taken, result)
				case taken && at-second > c.within:
					t.Errorf("taken after %v, want within %v", at-second, c.within)
				case taken && !bytes.Contains(withoutSilence(heard["MZ2"].of(media.TrackInbound)), after.Inbound):
					t.Errorf("not all audio of the second stream arrived")
				case !taken && (result.CloseCode != 1008 || !result.ByServer || s.Stats().Second != 1):
					t.Errorf("got %+v, counted %+v, want it refused with 1008", result, s.Stats())
				}
				if err := s.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				calling.Wait()
			})
		})
	}
}

// A call of POST /voice/twilio lasts for longer than its token.
func TestACallWithATokenIsTakenOverOnlyWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &media.Server{PublicURL: public, AuthTokens: []media.Secret{"t1"}}
		s.Serve = func(ctx context.Context, st *media.Stream) { st.Receive(ctx, newEarful()) }
		dial := inMemory(s)
		client := &http.Client{Transport: &http.Transport{DialContext: dial}}
		defer client.CloseIdleConnections()
		call := func(stream, token string, length time.Duration) int {
			c := mediatest.Call{URL: "ws://bridge.example/media/twilio", AuthToken: "t1", PublicURL: public, Dial: dial, CallSID: "CA1", StreamSID: stream, Hold: length}
			if token != "" {
				c.Params = map[string]string{"bridge_token": token}
			}
			result, err := c.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return result.CloseCode
		}
		var calling sync.WaitGroup
		first := voiceToken(t, client, "CA1")
		calling.Go(func() { // not a multiple of the time between pings: a pipe holds no frame while both ends write
			if code := call("MZ1", first, 10*time.Minute+7*time.Second); code != 1000 {
				t.Errorf("the first stream was closed with %d, want 1000", code)
			}
		})
		time.Sleep(8 * time.Minute)
		for name, token := range map[string]string{"no token": "", "the token of the first": first, "another": "X"} {
			if code := call("MZ2", token, time.Second); code != 1008 {
				t.Errorf("a second stream with %s: got closed with %d, want 1008", name, code)
			}
		}
		if code := call("MZ3", voiceToken(t, client, "CA1"), time.Second); code != 1000 {
			t.Errorf("a second stream with a token of its own: got closed with %d, want 1000", code)
		}
		calling.Wait()
		if code := call("MZ4", "", time.Second); code != 1008 {
			t.Errorf("soon after the last stream was lost, without a token: got closed with %d, want 1008", code)
		}
		if code := call("MZ5", voiceToken(t, client, "CA1"), time.Second); code != 1000 {
			t.Errorf("the call comes back: got closed with %d, want 1000", code)
		}
		if got := s.Stats(); got.Token != 4 || got.Started != 3 {
			t.Errorf("got %+v, want 4 refused and 3 begun", got)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

var tokenParameter = regexp.MustCompile(`name="bridge_token" value="([^"]+)"`)

// voiceToken asks the voice webhook what to do with a call and returns its token.
func voiceToken(t *testing.T, client *http.Client, callSID string) string {
	t.Helper()
	form := url.Values{"CallSid": {callSID}, "From": {"+15550001"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://bridge.example/voice/twilio", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Twilio-Signature", mediatest.Sign("t1", public+"/voice/twilio", form))
	resp, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	m := tokenParameter.FindSubmatch(body)
	if err != nil || m == nil {
		t.Fatalf("got %d %s, %v, want a token", resp.StatusCode, body, err)
	}
	return string(m[1])
}
