package main

import (
	"log/slog"
	"strings"
	"testing"
)

func TestProfilesAreForThisMachineOnly(t *testing.T) {
	for _, address := range []string{":6060", "0.0.0.0:6060", "192.0.2.1:6060", "example.com:6060"} {
		if err := startPprof(address, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "BRIDGE_PPROF") {
			t.Errorf("%s: got %v, want an error that names BRIDGE_PPROF", address, err)
		}
	}
}
