package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
)

// startPprof serves profiles of the process at an address of this machine, for as long as it runs. Nothing else is served
// there, and nobody else can reach it.
func startPprof(address string, logger *slog.Logger) error {
	if address == "" {
		return nil
	}
	if !isLoopback(address) {
		return fmt.Errorf("BRIDGE_PPROF: %q is not on this machine, such as 127.0.0.1:6060", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("BRIDGE_PPROF: %w", err)
	}
	runtime.SetMutexProfileFraction(100)
	runtime.SetBlockProfileRate(1e6) // one for each millisecond of waiting
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	logger.Warn("serving profiles", "address", l.Addr().String())
	go func() {
		if err := http.Serve(l, mux); !errors.Is(err, net.ErrClosed) {
			logger.Error("profiles are not served any more", "err", err)
		}
	}()
	return nil
}
