package main

import (
	"fmt"
	"runtime"

	"aldeabridge/internal/version"
)

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(term terminal) error {
	_, err := fmt.Fprintln(term.stdout, versionText())
	return err
}

// versionText is the version, the commit where known, and what it was built with.
func versionText() string {
	revision := version.Revision()
	if revision != "" {
		revision = " " + revision
	}
	return fmt.Sprintf("bridge %s%s %s %s/%s", version.String(), revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
