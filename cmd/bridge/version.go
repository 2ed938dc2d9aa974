package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is this release, as CHANGELOG.md names it.
const version = "0.1.0"

type versionCmd struct{}

// Run prints the version, the commit where known, and what it was built with.
func (versionCmd) Run(term terminal) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	_, err := fmt.Fprintf(term.stdout, "bridge %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
