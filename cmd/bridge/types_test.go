package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"aldeabridge/events"
	"aldeabridge/internal/config"
)

// Every event that is delivered can be chosen wherever events are chosen, and no other can for a webhook.
func TestEveryEventCanBeChosen(t *testing.T) {
	if len(events.StoredTypes()) < 10 {
		t.Fatalf("got %v, want all stored types", events.StoredTypes())
	}
	for _, k := range events.Types() {
		stored := strings.Contains(fmt.Sprint(events.StoredTypes()), string(k))
		_, inEnvironment := parseServe(t, map[string]string{"WEBHOOK_EVENTS": "call.ended, " + string(k)})
		_, inFile := config.Parse("bridge.yaml", []byte("webhooks: {a: {url: 'https://a.example', events: ["+string(k)+"]}}"), os.Getenv)
		for where, err := range map[string]error{"WEBHOOK_EVENTS": inEnvironment, "bridge.yaml": inFile} {
			if (err == nil) != stored {
				t.Errorf("%s in %s: got %v, want success: %v", k, where, err, stored)
			}
		}
	}
	for _, nothing := range []string{",", " , ", "utterance"} {
		if _, err := parseServe(t, map[string]string{"WEBHOOK_EVENTS": nothing}); err == nil || !strings.Contains(err.Error(), "WEBHOOK_EVENTS") {
			t.Errorf("%q: got %v, want an error", nothing, err)
		}
	}
}

func TestTheDocumentListsEveryCause(t *testing.T) {
	code, err := os.ReadFile("../../aldea/outage_cause.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	causes := regexp.MustCompile(`Cause = "(\w+)"`).FindAllStringSubmatch(string(code), -1)
	if len(causes) < 8 {
		t.Errorf("got %v, want all causes", causes)
	}
	for _, c := range causes {
		if !strings.Contains(string(page), "`"+c[1]+"`") {
			t.Errorf("docs/events.md has no `%s`", c[1])
		}
	}
}
