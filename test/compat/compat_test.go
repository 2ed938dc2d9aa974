package compat

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aldeabridge/internal/actions"
	"aldeabridge/internal/config"
)

// Where today's API and events are.
const (
	openAPI    = "../../internal/api/openapi.json"
	events     = "../../events"
	goldenJSON = events + "/testdata"
)

var update = flag.Bool("update", false, "copy today's API and events to baseline, for a release; what has been removed stops it")

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// check reports what is broken.
func check(t *testing.T, broken []string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Errorf("%s; docs/compatibility.md promises that it stays", b)
	}
}

// release replaces a file of the baseline.
func release(t *testing.T, file string, data []byte) {
	t.Helper()
	if !*update || t.Failed() {
		return
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheAPIHasAllThatTheLastReleaseHad(t *testing.T) {
	const file = "baseline/openapi.json"
	today := read(t, openAPI)
	broken, err := compareAPI(read(t, file), today)
	check(t, broken, err)
	release(t, file, today)
}

func TestEventsHaveAllThatTheLastReleaseHad(t *testing.T) {
	const folder = "baseline/events"
	released, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(released) == 0 {
		t.Fatalf("got %d released events, %v", len(released), err)
	}
	for _, file := range released {
		name := filepath.Base(file)
		today, err := os.ReadFile(filepath.Join(goldenJSON, name))
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the event %s is gone; docs/compatibility.md promises that it stays", strings.TrimSuffix(name, ".json"))
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			broken, err := compareSamples(read(t, file), today)
			check(t, broken, err)
		})
	}
	today, err := filepath.Glob(goldenJSON + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range today {
		release(t, filepath.Join(folder, filepath.Base(file)), read(t, file))
	}
}

func TestValuesInEventsAreThoseOfTheLastReleaseAndMore(t *testing.T) {
	const file = "baseline/values.txt"
	today, err := values(events)
	check(t, compareValues(strings.Fields(string(read(t, file))), today), err)
	release(t, file, []byte(strings.Join(today, "\n")+"\n"))
}

func TestTheConfigurationOfTheLastReleaseIsRead(t *testing.T) {
	getenv := func(string) string { return "set" }
	c, err := config.Parse("bridge.yaml", read(t, "baseline/bridge.yaml"), getenv)
	if err != nil {
		t.Fatalf("%v; docs/compatibility.md promises that it is read", err)
	}
	if len(c.Webhooks) != 3 || len(c.Routes) != 4 {
		t.Errorf("got %d webhooks and %d routes, want 3 and 4", len(c.Webhooks), len(c.Routes))
	}
}

func TestTheActionsOfTheLastReleaseAreAccepted(t *testing.T) {
	items, err := actions.Parse(read(t, "baseline/actions.json"), actions.Options{})
	if err != nil {
		t.Fatalf("%v; docs/compatibility.md promises that it is accepted", err)
	}
	if len(items) != 13 {
		t.Errorf("got %d actions, want 13", len(items))
	}
}
