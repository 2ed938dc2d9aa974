package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "aldeabridge"

// rooms is the table of ARCHITECTURE.md: what each package of ours may import of ours.
var rooms = map[string][]string{
	"events":                       {},
	"codec":                        {},
	"internal/transcript":          {"events"},
	"aldea":                        {"codec"},
	"aldea/sandbox":                {"codec", "aldea/sandbox/marker"},
	"aldea/sandbox/marker":         {},
	"internal/loopback":            {},
	"media":                        {"codec", "internal/loopback", "internal/reqbody"},
	"media/mediatest":              {"codec"},
	"internal/journal":             {"events"},
	"internal/egress":              {},
	"internal/playback":            {"codec"},
	"internal/actions":             {},
	"webhooks":                     {"events", "internal/egress"},
	"internal/voice":               {"codec", "internal/egress"},
	"internal/voice/voicetest":     {"codec"},
	"webhooks/webhooktest":         {},
	"internal/api/client":          {},
	"internal/api/types":           {"events"},
	"internal/config":              {"events"},
	"internal/control":             {},
	"internal/control/controltest": {},
	"internal/call":                {"events", "codec", "internal/transcript", "internal/actions", "internal/playback"},
	"internal/api":                 {"events", "internal/api/types", "internal/loopback", "internal/reqbody"},
	"test/chaos":                   {"internal/call", "codec", "events", "aldea/sandbox", "aldea/sandbox/marker", "media/mediatest", "webhooks/webhooktest", "test/faultnet"},
	"test/faultnet":                {},
	"test/conformance":             {"aldea", "aldea/sandbox", "aldea/sandbox/marker", "codec", "internal/transcript", "events", "test/faultnet"},
	"internal/version":             {},
	"internal/listen":              {},
	"internal/reqbody":             {},
	"cmd/bridge":                   {"*"},
	"cmd/sphinx":                   {"codec"},
	"test/peers/rest":              {"internal/control/controltest"},
	"internal/logguard":            {},
	"test/compat":                  {},
	"examples":                     {},
	"examples/ivr-go":              {},
}

// technologies is which rooms may import an outside technology.
var technologies = map[string][]string{
	"github.com/gofiber/fiber/v2":          {"media", "internal/api", "cmd/bridge"},
	"github.com/valyala/fasthttp":          {"internal/reqbody", "cmd/bridge"},
	"github.com/gofiber/contrib/websocket": {"media"},
	"github.com/gorilla/websocket":         {"aldea", "aldea/sandbox", "media/mediatest"},
	"github.com/ebitengine/purego":         {"cmd/sphinx"},
	"github.com/twilio/twilio-go/client":   {"internal/control"},
	"go.yaml.in/yaml/v3":                   {"internal/config"},
}

func TestRoomsImportOnlyWhatTheTableAllows(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; seen++ {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(pkg.ImportPath, module+"/")
		allowed, known := rooms[room]
		if !known {
			t.Errorf("package %s is not in the table of rooms", room)
		}
		for _, path := range pkg.Imports {
			if ours, ok := strings.CutPrefix(path, module+"/"); ok && !slices.Contains(allowed, ours) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s; it may import %v", room, ours, allowed)
			}
			if may, ok := technologies[path]; ok && !slices.Contains(may, room) {
				t.Errorf("%s imports %s, which belongs to %v", room, path, may)
			}
		}
	}
	if seen < len(rooms) {
		t.Errorf("got %d packages, want the %d of the table", seen, len(rooms))
	}
}
