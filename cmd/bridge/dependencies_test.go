package main

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requirements returns what the go.mod and package.json files of the repository require directly, each with the file.
func requirements(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "bin" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		read := map[string]func([]byte) ([]string, error){"go.mod": modules, "package.json": packages}[d.Name()]
		if read == nil {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		names, err := read(data)
		for _, name := range names {
			found[name] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// modules returns the direct requirements of a go.mod, without those of this repository.
func modules(gomod []byte) (names []string, err error) {
	for _, line := range strings.Split(string(gomod), "\n") {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") && !strings.HasSuffix(line, "// indirect") && fields[0] != module {
			names = append(names, fields[0])
		}
	}
	return names, nil
}

// packages returns the dependencies of a package.json.
func packages(data []byte) (names []string, err error) {
	var p struct{ Dependencies, DevDependencies map[string]string }
	err = json.Unmarshal(data, &p)
	for _, all := range []map[string]string{p.Dependencies, p.DevDependencies} {
		for name := range all {
			names = append(names, name)
		}
	}
	return names, err
}

func TestEachDependencyHasItsReasonAndLicense(t *testing.T) {
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, row := range strings.Split(string(page), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 5 { // two cells are empty: before the first bar and after the last
			continue
		}
		for _, name := range quoted.FindAllStringSubmatch(cells[1], -1) {
			documented[name[1]] = true
			if strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
				t.Errorf("docs/dependencies.md: %s has no reason or no license", name[1])
			}
		}
	}
	required := requirements(t)
	if len(required) < 10 {
		t.Fatalf("got %d requirements, want those of all modules", len(required))
	}
	for name, file := range required {
		if !documented[name] {
			t.Errorf("%s requires %s: docs/dependencies.md has no row with its reason and license", file, name)
		}
	}
	dependabot, err := os.ReadFile("../../.github/dependabot.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range required {
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../..")
		if !regexp.MustCompile(`[" ]` + cmp.Or(folder, "/") + `["\n]`).Match(dependabot) {
			t.Errorf(".github/dependabot.yml does not look at the folder of %s", file)
		}
	}
	for name := range documented {
		if required[name] == "" {
			t.Errorf("docs/dependencies.md: nothing requires %s", name)
		}
	}
}
