package config_test

import (
	"fmt"
	"testing"

	"aldeabridge/internal/config"
)

func none(string) string { return "" }

func TestTheFirstRouteThatMatchesCounts(t *testing.T) {
	c, err := config.Parse("bridge.yaml", []byte(`
routes:
  - {to: ["+15550100002"], from: ["+1555019*"]}
  - {to: ["+1 (555) 010-0002", "+1555020*"]}
  - {from: ["anonymous"]}
  - {to: ["*"], from: ["+44*"]}
`), none)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		from, to string
		want     int
	}{
		{"+15550190001", "+15550100002", 0},
		{"+15550100001", "+15550100002", 1},
		{"+1 555 019 0001", "+1-555-010-0002", 0},
		{"", "+15550200777", 1},
		{"", "+1555020", 1},
		{"", "+155502", -1},
		{"anonymous", "+15550300001", 2},
		{"+441632960001", "", 3},
		{"", "", -1},
	} {
		if got := c.Find(test.from, test.to); got != test.want {
			t.Errorf("from %q to %q: got route %d, want %d", test.from, test.to, got, test.want)
		}
	}
}

func Example() {
	c, err := config.Parse("bridge.yaml", []byte(`
webhooks:
  orders: {url: https://orders.example.com/events}
routes:
  - to: ["+1555020*"]
    webhooks: [orders]
    language: es
`), none)
	if err != nil {
		fmt.Println(err)
		return
	}
	route := c.Routes[c.Find("+15550100001", "+1 (555) 020-0007")]
	fmt.Println(route.Webhooks, route.Language)
	_, err = config.Parse("bridge.yaml", []byte("routes:\n- to: [\"+1555*0\"]\n"), none)
	fmt.Println(err)
	// Output:
	// [orders] es
	// bridge.yaml:2: to: * stands for any ending: it can only be the last character, as in "+1555020*"
}
