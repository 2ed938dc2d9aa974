package actions_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aldeabridge/internal/actions"
)

// page is what users read about actions.
func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/actions.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever the page shows is accepted, and every action is shown.
func TestExamplesOfThePageAreActions(t *testing.T) {
	shown := map[actions.Type]bool{}
	for _, block := range regexp.MustCompile("(?s)\n```json\n(.*?)\n```\n").FindAllStringSubmatch(page(t), -1) {
		items, err := actions.Parse([]byte(block[1]), actions.Options{})
		if err != nil || len(items) == 0 {
			t.Errorf("got %v, %v, want actions:\n%s", items, err, block[1])
		}
		for _, i := range items {
			shown[i.Action.Type()] = true
		}
	}
	for _, one := range strings.Split(known, ", ") {
		if !shown[actions.Type(one)] {
			t.Errorf("the page has no example of %s", one)
		}
	}
}

// What the page says is refused is refused with these words.
func TestRefusalsOfThePageAreTold(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `(\\{.*\\})` \\| `(actions.*)` \\|$").FindAllStringSubmatch(page(t), -1)
	if len(rows) < 5 {
		t.Fatalf("got %d rows, want those of the page", len(rows))
	}
	for _, row := range rows {
		if _, err := actions.Parse([]byte(row[1]), actions.Options{}); err == nil || err.Error() != row[2] {
			t.Errorf("%s:\ngot  %v\nwant %s", row[1], err, row[2])
		}
	}
}

// The tables have the fields that there are: a field that is not known makes the parser name them.
func TestThePageHasEveryField(t *testing.T) {
	sections := regexp.MustCompile("(?m)^## ").Split(page(t), -1)
	for _, one := range strings.Split(known, ", ") {
		i := slices.IndexFunc(sections, func(s string) bool { return strings.Contains(strings.SplitN(s, "\n", 2)[0], "`"+one+"`") })
		if i < 0 {
			t.Errorf("the page has no section about %s", one)
			continue
		}
		tables := strings.Split(sections[i], "\n| field of `gather` |")
		wantFields(t, one, tables[0], `{"actions":[{"type":"`+one+`","?":1}]}`)
		if len(tables) > 1 {
			wantFields(t, "gather", tables[1], `{"actions":[{"type":"`+one+`","gather":{"?":1}}]}`)
		}
	}
}

func wantFields(t *testing.T, what, table, body string) {
	t.Helper()
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(table, -1) {
		got = append(got, row[1])
	}
	_, err := actions.Parse([]byte(body), actions.Options{})
	if err == nil {
		t.Fatalf("%s: got no error, want the known fields", what)
	}
	_, list, _ := strings.Cut(err.Error(), "known are ")
	if want := strings.Split(list, ", "); !slices.Equal(got, want) {
		t.Errorf("%s: the page has the fields %v, want %v", what, got, want)
	}
}
