package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"aldeabridge/internal/loopback"
)

// startPprof serves profiles of the process at an address of this machine, for as long as it runs. Nothing else is served
// there, and only programs on this machine can reach it.
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
	server := &http.Server{Handler: localOnly(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, net.ErrClosed) {
			logger.Error("profiles are not served any more", "err", err)
		}
	}()
	return nil
}

// localOnly answers 403 to requests that do not come directly from a program on this machine: a web page can make a
// browser on this machine ask.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := stranger(r); reason != "" {
			http.Error(w, "only programs on this machine are served, and only directly: "+reason, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// stranger returns what shows that a request does not come directly from a program on this machine, or an empty string.
func stranger(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "" // no address is loopback
	}
	return loopback.Request{Peer: net.ParseIP(host), Host: r.Host, Header: r.Header.Values}.Stranger()
}
