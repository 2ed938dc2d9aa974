package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// A profiler fetches what bridge serves at BRIDGE_PPROF. A nil one does nothing.
type profiler struct{ address, prefix string }

// A kind is one of Go's profiles.
type kind struct {
	name, path string
	views      []string // sample types to print; empty for the profile's own choice
}

// overTime are taken over a time, all at once; atItsEnd are as things are then.
var (
	overTime = []kind{{"cpu", "profile", []string{""}}, {"allocs", "allocs", []string{"alloc_space", "alloc_objects"}},
		{"mutex", "mutex", []string{"delay"}}, {"block", "block", []string{"delay"}}}
	atItsEnd = []kind{{"heap", "heap", []string{"inuse_space"}}, {"goroutine", "goroutine", []string{""}}}
)

// profiler returns one for a server, if its profiles are wanted.
func (p *plan) profiler(server string, calls int) (*profiler, error) {
	if p.profiles == "" || server != "bridge" {
		return nil, nil
	}
	address, err := free()
	if err != nil {
		return nil, err
	}
	return &profiler{address, filepath.Join(p.profiles, strconv.Itoa(calls))}, os.MkdirAll(p.profiles, 0o755)
}

// env makes bridge serve the profiles.
func (p *profiler) env() []string {
	if p == nil {
		return nil
	}
	return []string{"BRIDGE_PPROF=" + p.address}
}

// check fails if the profiles are not served.
func (p *profiler) check() error {
	if p == nil {
		return nil
	}
	if err := await(p.address); err != nil {
		return fmt.Errorf("this bridge does not serve profiles at BRIDGE_PPROF: %w", err)
	}
	return nil
}

// record fetches all profiles, those over a time for d in whole seconds, and writes them and a text of their heads.
func (p *profiler) record(d time.Duration) error {
	if p == nil {
		return nil
	}
	results := make(chan error)
	for _, k := range overTime {
		go func() { results <- p.fetch(k, "seconds="+strconv.Itoa(max(1, int(d.Seconds())))) }()
	}
	var err error
	for range overTime {
		err = errors.Join(err, <-results)
	}
	for _, k := range atItsEnd {
		err = errors.Join(err, p.fetch(k, ""))
	}
	if err != nil {
		return err
	}
	return p.print()
}

func (p *profiler) file(k kind) string { return p.prefix + "-" + k.name + ".pprof" }

func (p *profiler) fetch(k kind, query string) error {
	client := http.Client{Timeout: 10 * time.Minute}
	resp, err := client.Get("http://" + p.address + "/debug/pprof/" + k.path + "?" + query)
	if err != nil {
		return fmt.Errorf("profile %s: %w", k.name, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("this bridge answers %s: %s", resp.Status, bytes.TrimSpace(b))
	}
	if err != nil {
		return fmt.Errorf("profile %s: %w", k.name, err)
	}
	return os.WriteFile(p.file(k), b, 0o644)
}

// print writes the head of each profile to one file.
func (p *profiler) print() error {
	var text bytes.Buffer
	for _, k := range append(overTime, atItsEnd...) {
		for _, view := range k.views {
			fmt.Fprintf(&text, "== %s %s\n", k.name, view)
			out, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=25", "-sample_index="+view, p.file(k)).CombinedOutput()
			if err != nil {
				return fmt.Errorf("go tool pprof: %w: %s", err, out)
			}
			text.Write(append(out, '\n'))
		}
	}
	return os.WriteFile(p.prefix+".txt", text.Bytes(), 0o644)
}
