package media

import (
	"errors"
	"strconv"
	"testing"
	"time"
)

// redeem admits a stream and lets it end at once. It returns an error that is not nil if it was refused.
func (k *calls) redeem(callSID, token string, now time.Time) error {
	st := upOf(callSID, token)
	rival, err := k.admit(st, true, nil, now)
	if rival != nil {
		err = ErrSecondStream
	}
	k.leave(st, now)
	return err
}

// upOf is a stream that is up, as far as calls can see.
func upOf(callSID, token string) *Stream {
	return &Stream{start: Start{CallSID: callSID, token: token}}
}

func TestAOneTimeTokenOpensOneStream(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name string
		try  func(k *calls) error
		want error
	}{
		{"a call without a token", func(k *calls) error { return k.redeem("CA1", "", now) }, nil},
		{"a token nobody issued", func(k *calls) error { return k.redeem("CA1", "X", now) }, ErrToken},
		{"its token", func(k *calls) error { return k.redeem("CA1", k.issue("CA1", now), now) }, nil},
		{"no token where one was issued", func(k *calls) error { k.issue("CA1", now); return k.redeem("CA1", "", now) }, ErrToken},
		{"another call's token", func(k *calls) error {
			k.issue("CA1", now)
			return k.redeem("CA1", k.issue("CA2", now), now)
		}, ErrToken},
		{"a token twice", func(k *calls) error {
			token := k.issue("CA1", now)
			_ = k.redeem("CA1", token, now)
			return k.redeem("CA1", token, now)
		}, ErrToken},
		{"no token after one was used", func(k *calls) error {
			_ = k.redeem("CA1", k.issue("CA1", now), now)
			return k.redeem("CA1", "", now)
		}, ErrToken},
		{"the first answer after a second", func(k *calls) error {
			first := k.issue("CA1", now)
			k.issue("CA1", now)
			return k.redeem("CA1", first, now)
		}, nil},
		{"the second answer after the first was used", func(k *calls) error {
			first, second := k.issue("CA1", now), k.issue("CA1", now)
			_ = k.redeem("CA1", first, now)
			return k.redeem("CA1", second, now)
		}, ErrToken},
		{"a call that comes back", func(k *calls) error {
			_ = k.redeem("CA1", k.issue("CA1", now), now)
			return k.redeem("CA1", k.issue("CA1", now), now)
		}, nil},
		{"a token at its end", func(k *calls) error { return k.redeem("CA1", k.issue("CA1", now), now.Add(tokenTTL)) }, nil},
		{"an expired token", func(k *calls) error { return k.redeem("CA1", k.issue("CA1", now), now.Add(tokenTTL+1)) }, ErrToken},
		{"no token when its stream is up for long", func(k *calls) error {
			_, _ = k.admit(upOf("CA1", k.issue("CA1", now)), true, nil, now)
			return k.redeem("CA1", "", now.Add(4*time.Hour))
		}, ErrToken},
		{"no token soon after its stream was lost", func(k *calls) error {
			st := upOf("CA1", k.issue("CA1", now))
			_, _ = k.admit(st, true, nil, now)
			k.leave(st, now.Add(time.Hour))
			return k.redeem("CA1", "", now.Add(time.Hour+callTTL))
		}, ErrToken},
		{"a new token after its stream was lost", func(k *calls) error {
			st := upOf("CA1", k.issue("CA1", now))
			_, _ = k.admit(st, true, nil, now)
			k.leave(st, now.Add(time.Hour))
			return k.redeem("CA1", k.issue("CA1", now.Add(time.Hour)), now.Add(time.Hour+time.Minute))
		}, nil},
		{"a new token while its stream is up", func(k *calls) error {
			_, _ = k.admit(upOf("CA1", k.issue("CA1", now)), true, nil, now)
			return k.redeem("CA1", k.issue("CA1", now.Add(time.Hour)), now.Add(time.Hour))
		}, nil},
		{"a token that was not used while the stream is up, when it has expired", func(k *calls) error {
			_, _ = k.admit(upOf("CA1", k.issue("CA1", now)), true, nil, now)
			return k.redeem("CA1", k.issue("CA1", now.Add(time.Minute)), now.Add(time.Minute+tokenTTL+1))
		}, ErrToken},
		{"no token while a stream without one is up", func(k *calls) error {
			_, _ = k.admit(upOf("CA1", ""), true, nil, now)
			return k.redeem("CA1", "", now.Add(time.Hour))
		}, ErrSecondStream},
		{"no token when a stream without one has ended", func(k *calls) error {
			_ = k.redeem("CA1", "", now)
			return k.redeem("CA1", "", now)
		}, nil},
		{"a token while a stream without one is up", func(k *calls) error {
			_, _ = k.admit(upOf("CA1", ""), true, nil, now)
			return k.redeem("CA1", k.issue("CA1", now), now)
		}, nil},
		{"no token when one was given out while a stream without one is up", func(k *calls) error {
			_, _ = k.admit(upOf("CA1", ""), true, nil, now)
			k.issue("CA1", now)
			return k.redeem("CA1", "", now)
		}, ErrToken},
		{"no token when it has expired", func(k *calls) error {
			k.issue("CA1", now)
			return k.redeem("CA1", "", now.Add(tokenTTL+1))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.try(&calls{}); !errors.Is(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestTokensAreBounded(t *testing.T) {
	var k calls
	now := time.Unix(1000, 0)
	last := ""
	for i := range maxCalls + 100 {
		last = k.issue("CA"+strconv.Itoa(i), now.Add(time.Duration(i)))
	}
	if got := len(k.calls); got != maxCalls {
		t.Errorf("calls: got %d, want %d", got, maxCalls)
	}
	if err := k.redeem("CA"+strconv.Itoa(maxCalls+99), last, now); err != nil {
		t.Errorf("the newest token: got %v, want it to be good", err)
	}
	if _, ok := k.calls["CA99"]; ok {
		t.Error("the oldest call was kept")
	}
	for range 100 {
		k.issue("CA one", now)
	}
	if got := len(k.calls["CA one"].unused); got != maxPerCall {
		t.Errorf("tokens of one call: got %d, want %d", got, maxPerCall)
	}
	k.issue("CA two", now.Add(tokenTTL+sweepPeriod+time.Second))
	if got := len(k.calls); got != 1 {
		t.Errorf("calls after all have expired: got %d, want 1", got)
	}
}

// Where anybody may ask the voice webhook, a token shows nothing.
func TestATokenThatAnybodyMayAskForTakesNoCallOver(t *testing.T) {
	var k calls
	now := time.Unix(1000, 0)
	first := upOf("CA1", k.issue("CA1", now))
	if rival, err := k.admit(first, false, nil, now); rival != nil || err != nil {
		t.Fatalf("got %v, %v, want the first stream admitted", rival, err)
	}
	second := upOf("CA1", k.issue("CA1", now))
	if rival, err := k.admit(second, false, nil, now); rival != first || err != nil {
		t.Errorf("got %v, %v, want the first stream as the rival", rival, err)
	}
	if rival, err := k.admit(second, false, []*Stream{first}, now); rival != nil || err != nil {
		t.Errorf("got %v, %v, want the second admitted when the first is silent", rival, err)
	}
}

func TestFewStreamsOfACallWaitForAnother(t *testing.T) {
	var k calls
	now := time.Unix(1000, 0)
	if _, err := k.admit(upOf("CA1", ""), false, nil, now); err != nil {
		t.Fatal(err)
	}
	for range maxRivals {
		if rival, err := k.admit(upOf("CA1", ""), false, nil, now); rival == nil || err != nil {
			t.Fatalf("got %v, %v, want it to wait", rival, err)
		}
	}
	if rival, err := k.admit(upOf("CA1", ""), false, nil, now); rival != nil || !errors.Is(err, ErrSecondStream) {
		t.Errorf("got %v, %v, want it refused at once", rival, err)
	}
	k.waited("CA1")
	if rival, err := k.admit(upOf("CA1", ""), false, nil, now); rival == nil || err != nil {
		t.Errorf("got %v, %v, want it to wait in the place of another", rival, err)
	}
}

func TestCallsWithAStreamAreKeptHoweverManyOthersThereAre(t *testing.T) {
	var k calls
	now := time.Unix(1000, 0)
	up := upOf("CA up", k.issue("CA up", now))
	if _, err := k.admit(up, true, nil, now); err != nil {
		t.Fatal(err)
	}
	_ = k.redeem("CA lost", k.issue("CA lost", now), now)
	for i := range maxCalls + 100 {
		k.issue("CA"+strconv.Itoa(i), now.Add(time.Duration(i)))
	}
	if got := len(k.calls); got != maxCalls+1 {
		t.Errorf("got %d calls, want %d and the one that is up", got, maxCalls)
	}
	if err := k.redeem("CA up", "", now); !errors.Is(err, ErrToken) {
		t.Errorf("got %v, want the call that is up still to need its token", err)
	}
}

func TestACallBeginsABoundedNumberOfStreams(t *testing.T) {
	var k calls
	now := time.Unix(1000, 0)
	begun := 0
	for range 10 * streamBurst {
		if k.redeem("CA1", "", now) == nil {
			begun++
		}
	}
	if begun != streamBurst {
		t.Errorf("got %d streams begun at once, want %d", begun, streamBurst)
	}
	if err := k.redeem("CA1", "", now); !errors.Is(err, ErrTooManyStreams) {
		t.Errorf("got %v, want %v", err, ErrTooManyStreams)
	}
	if err := k.redeem("CA2", "", now); err != nil {
		t.Errorf("another call: got %v", err)
	}
	for range 2 {
		now = now.Add(streamEvery)
		if err := k.redeem("CA1", "", now); err != nil {
			t.Errorf("later: got %v, want one more stream", err)
		}
	}
	if err := k.redeem("CA1", "", now); !errors.Is(err, ErrTooManyStreams) {
		t.Errorf("got %v, want %v", err, ErrTooManyStreams)
	}
}
