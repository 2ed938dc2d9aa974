package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pprofServer serves some of this process's profiles.
func pprofServer(t *testing.T, mux *http.ServeMux) *profiler {
	t.Helper()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return &profiler{srv.Listener.Addr().String(), filepath.Join(t.TempDir(), "100")}
}

func TestProfilesAreWrittenAndPrinted(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	p := pprofServer(t, mux)
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	if err := p.record(time.Second); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(p.prefix + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, want := range []string{"== cpu", "== allocs alloc_space\n", "== allocs alloc_objects\n", "== mutex delay\n", "== block delay\n",
		"== heap inuse_space\n", "== goroutine", "Type: cpu", "Type: alloc_space", "Type: delay", "Type: inuse_space", "Type: goroutine"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the text", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	for _, k := range append(overTime, atItsEnd...) {
		if s, err := os.Stat(p.file(k)); err != nil || s.Size() == 0 {
			t.Errorf("%s: %v, want a profile", k.name, err)
		}
	}
}

func TestAProfileThatIsNotServedIsNamed(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	for _, name := range []string{"allocs", "block", "heap", "goroutine"} {
		mux.Handle("/debug/pprof/"+name, pprof.Handler(name))
	}
	err := pprofServer(t, mux).record(time.Second)
	if err == nil || !strings.Contains(err.Error(), "profile mutex: this bridge answers 404") || strings.Contains(err.Error(), "heap") {
		t.Errorf("got %v, want an error that names the one profile", err)
	}
}
