package media

import (
	"errors"
	"strconv"
	"testing"
	"time"
)

func TestAOneTimeTokenOpensOneStream(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name string
		try  func(k *tokens) error
		want error
	}{
		{"a call without a token", func(k *tokens) error { return k.redeem("CA1", "", now) }, nil},
		{"a token nobody issued", func(k *tokens) error { return k.redeem("CA1", "X", now) }, ErrToken},
		{"its token", func(k *tokens) error { return k.redeem("CA1", k.issue("CA1", now), now) }, nil},
		{"no token where one was issued", func(k *tokens) error { k.issue("CA1", now); return k.redeem("CA1", "", now) }, ErrToken},
		{"another call's token", func(k *tokens) error {
			k.issue("CA1", now)
			return k.redeem("CA1", k.issue("CA2", now), now)
		}, ErrToken},
		{"a token twice", func(k *tokens) error {
			token := k.issue("CA1", now)
			_ = k.redeem("CA1", token, now)
			return k.redeem("CA1", token, now)
		}, ErrToken},
		{"no token after one was used", func(k *tokens) error {
			_ = k.redeem("CA1", k.issue("CA1", now), now)
			return k.redeem("CA1", "", now)
		}, ErrToken},
		{"the first answer after a second", func(k *tokens) error {
			first := k.issue("CA1", now)
			k.issue("CA1", now)
			return k.redeem("CA1", first, now)
		}, nil},
		{"the second answer after the first was used", func(k *tokens) error {
			first, second := k.issue("CA1", now), k.issue("CA1", now)
			_ = k.redeem("CA1", first, now)
			return k.redeem("CA1", second, now)
		}, ErrToken},
		{"a call that comes back", func(k *tokens) error {
			_ = k.redeem("CA1", k.issue("CA1", now), now)
			return k.redeem("CA1", k.issue("CA1", now), now)
		}, nil},
		{"a token at its end", func(k *tokens) error { return k.redeem("CA1", k.issue("CA1", now), now.Add(tokenTTL)) }, nil},
		{"an expired token", func(k *tokens) error { return k.redeem("CA1", k.issue("CA1", now), now.Add(tokenTTL+1)) }, ErrToken},
		{"no token when it has expired", func(k *tokens) error {
			k.issue("CA1", now)
			return k.redeem("CA1", "", now.Add(tokenTTL+1))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.try(&tokens{}); !errors.Is(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestTokensAreBounded(t *testing.T) {
	var k tokens
	now := time.Unix(1000, 0)
	last := ""
	for i := range maxTickets + 100 {
		last = k.issue("CA"+strconv.Itoa(i), now.Add(time.Duration(i)))
	}
	if got := len(k.calls); got != maxTickets {
		t.Errorf("calls: got %d, want %d", got, maxTickets)
	}
	if err := k.redeem("CA"+strconv.Itoa(maxTickets+99), last, now); err != nil {
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
