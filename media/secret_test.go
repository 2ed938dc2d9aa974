package media_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"aldeabridge/media"
)

func TestASecretDoesNotShow(t *testing.T) {
	const s media.Secret = "5ad0c0ffee"
	type config struct{ Tokens []media.Secret }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t"} {
		for _, v := range []any{s, config{[]media.Secret{s}}, &config{[]media.Secret{s}}, map[media.Secret]int{s: 1}} {
			got := fmt.Sprintf(verb, v)
			if shows(got) || !strings.Contains(got, "REDACTED") {
				t.Errorf("%s of %T: got %s", verb, v, got)
			}
		}
	}
	got, err := json.Marshal(map[string]any{"a": s, "b": config{[]media.Secret{s}}})
	if want := `{"a":"REDACTED","b":{"Tokens":["REDACTED"]}}`; err != nil || string(got) != want {
		t.Errorf("JSON: got %s, %v, want %s", got, err, want)
	}
}

// shows tells whether text holds the secret of the test, plain or as hexadecimal digits of its bytes.
func shows(text string) bool {
	return strings.Contains(text, "5ad0c0ffee") || strings.Contains(strings.ToLower(text), "356164306330666665")
}

func ExampleSecret() {
	var s media.Secret = "5ad0c0ffee"
	fmt.Println(s)
	fmt.Printf("%v %s %#v %+v\n", s, s, s, struct{ S media.Secret }{s})
	fmt.Println(slog.Any("token", s))
	// Output:
	// REDACTED
	// REDACTED REDACTED REDACTED {S:REDACTED}
	// token=REDACTED
}
