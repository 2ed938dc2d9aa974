package aldea

import (
	"errors"
	"fmt"
	"testing"
)

func TestCloseErrorsCarryTheRecognizersLabel(t *testing.T) {
	tests := []struct {
		reason, want string
	}{
		{"did not receive audio data or a text message. See https://example.com/#net0001", "net0001"},
		{"did not provide a response message (NET-0000)", "net0000"},
		{"DATA-0000: not audio", "data0000"},
		{"data0000", "data0000"},
		{"bye", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := (&CloseError{Code: 1011, Reason: test.reason}).Token(); got != test.want {
			t.Errorf("%q: got %q, want %q", test.reason, got, test.want)
		}
	}
}

func TestErrorsMatchUnauthorizedOnlyWhenTheKeyIsMeant(t *testing.T) {
	tests := []struct {
		err  error
		want bool
	}{
		{&StatusError{Status: 401}, true},
		{&StatusError{Status: 403}, true},
		{fmt.Errorf("dial: %w", &StatusError{Status: 401}), true},
		{&StatusError{Status: 429}, false},
		{&CloseError{Code: 1008, Reason: "Unauthorized"}, true},
		{&CloseError{Code: 4001, Reason: "bad API key"}, true},
		{&CloseError{Code: 1008, Reason: "bad audio"}, false},
		{&CloseError{Code: 1006, Reason: "unexpected EOF in authentication"}, false},
	}
	for _, test := range tests {
		if got := errors.Is(test.err, ErrUnauthorized); got != test.want {
			t.Errorf("%v: got %v, want %v", test.err, got, test.want)
		}
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&StatusError{Status: 503}, "aldea: handshake answered with 503 Service Unavailable"},
		{
			&StatusError{Status: 429, Message: "slow down", RequestID: "r1"},
			"aldea: handshake answered with 429 Too Many Requests: slow down (request r1)",
		},
		{&CloseError{Code: 1011}, "aldea: connection closed with code 1011"},
		{&CloseError{Code: 1011, Reason: "busy"}, "aldea: connection closed with code 1011: busy"},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
