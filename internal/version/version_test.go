package version

import (
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
)

func TestTheLinkedReleaseComesFirst(t *testing.T) {
	module := func(v string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Version: v}} }
	for _, test := range []struct {
		name   string
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		{"a release", "v1.2.3", module("v0.9.0"), "1.2.3"},
		{"a later commit", "v1.2.3-4-gabcdef0", module("(devel)"), "1.2.3-4-gabcdef0"},
		{"a repository without tags", "abcdef0", nil, "abcdef0"},
		{"go install", "", module("v1.2.3"), "1.2.3"},
		{"go build in a repository", "", module("v0.0.0-20260102030405-abcdef012345+dirty"), "0.0.0-20260102030405-abcdef012345+dirty"},
		{"go build outside a repository", "", module("(devel)"), "dev"},
		{"go test", "", module(""), "dev"},
		{"no build information", "", nil, "dev"},
	} {
		if got := choose(test.linked, test.info); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestRevisionIsTwelveDigitsOfTheCommit(t *testing.T) {
	settings := func(s ...debug.BuildSetting) *debug.BuildInfo { return &debug.BuildInfo{Settings: s} }
	for _, test := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{settings(debug.BuildSetting{Key: "vcs", Value: "git"}, debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}), "0123456789ab"},
		{settings(debug.BuildSetting{Key: "vcs.revision", Value: "0123"}), "0123"},
		{settings(), ""},
		{nil, ""},
	} {
		if got := revision(test.info); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.info, got, test.want)
		}
	}
}

// The linker ignores -X for a variable that does not exist, so a build with a wrong path would silently report no version.
func TestEachBuildSetsThisVariable(t *testing.T) {
	type here struct{}
	want := "-X " + reflect.TypeFor[here]().PkgPath() + ".release="
	for _, file := range []string{"Makefile", "deploy/Dockerfile", ".goreleaser.yaml"} {
		content, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), want) {
			t.Errorf("%s: no linker flag %q", file, want)
		}
	}
}
