// Package version reports which version of bridge a program was built from.
package version

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// release is set by the linker: -ldflags='-X aldeabridge/internal/version.release=v1.2.3'. The Makefile, the Dockerfile and
// .goreleaser.yaml take its value from git describe.
var release string

// unknown is the version of a program that was built without the linker flag and outside a repository.
const unknown = "dev"

// String returns the version without the leading "v" of the git tag: "1.2.3" for a release, "1.2.3-4-gabcdef0" for a later commit. A
// program that was built without the linker flag, as go install does, returns the version of its module; "dev" if that is
// unknown too.
func String() string {
	info, _ := debug.ReadBuildInfo() // nil if the program has none
	return choose(release, info)
}

// Revision returns the first twelve digits of the commit that the program was built from. It is empty if the Go command did
// not record one.
func Revision() string {
	info, _ := debug.ReadBuildInfo()
	return revision(info)
}

// choose returns the linked release, the version of the main module, or unknown.
func choose(linked string, info *debug.BuildInfo) string {
	module := ""
	if info != nil && info.Main.Version != "(devel)" {
		module = info.Main.Version
	}
	return cmp.Or(strings.TrimPrefix(cmp.Or(linked, module), "v"), unknown)
}

func revision(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}
