package main

import (
	"fmt"
	"runtime"

	"aldeabridge/internal/version"
)

type versionCmd struct{}

// Run prints the version, the commit where known, and what it was built with.
func (versionCmd) Run(term terminal) error {
	revision := version.Revision()
	if revision != "" {
		revision = " " + revision
	}
	_, err := fmt.Fprintf(term.stdout, "bridge %s%s %s %s/%s\n", version.String(), revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
