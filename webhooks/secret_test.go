package webhooks

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// keyed returns a secret with a key of n bytes.
func keyed(n int) string {
	return secretPrefix + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n)))
}

var secretCases = []struct {
	name, list string
	want       int    // secrets
	problem    string // part of the error
}{
	{"one", testSecret, 1, ""},
	{"two by comma", keyed(32) + "," + keyed(33), 2, ""},
	{"two by space, with a newline at the end", keyed(32) + " " + keyed(33) + "\n", 2, ""},
	{"four", strings.Repeat(keyed(32)+", ", 4), 4, ""},
	{"shortest", keyed(24), 1, ""},
	{"longest", keyed(64), 1, ""},
	{"none", " ,\n", 0, "there is none"},
	{"five", strings.Repeat(keyed(32)+",", 5), 0, "at most 4"},
	{"no prefix", strings.TrimPrefix(testSecret, secretPrefix), 0, "number 1 of 1 does not begin with whsec_"},
	{"other prefix", "whsk_" + keyed(32)[6:], 0, "does not begin with whsec_"},
	{"second has no prefix", testSecret + " oops", 0, "number 2 of 2 does not begin"},
	{"only the prefix", secretPrefix, 0, "key of 0 bytes"},
	{"too short", keyed(23), 0, "key of 23 bytes; the minimum is 24"},
	{"too long", keyed(65), 0, "key of 65 bytes; the maximum is 64"},
	{"not base64", secretPrefix + strings.Repeat("!", 44), 0, "not standard base64"},
	{"no padding", strings.TrimRight(testSecret, "="), 0, "not standard base64 with padding"},
	{"URL alphabet", secretPrefix + strings.Repeat("-_", 22), 0, "not standard base64"},
}

func TestSecretsAreReadOrRefusedWithAReason(t *testing.T) {
	for _, c := range secretCases {
		got, err := ParseSecrets(c.list)
		if len(got) != c.want || (err == nil) != (c.problem == "") {
			t.Errorf("%s: got %d secrets, error %v; want %d, %q", c.name, len(got), err, c.want, c.problem)
			continue
		}
		if err != nil && (!errors.Is(err, ErrSecret) || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: got error %q, want ErrSecret with %q", c.name, err, c.problem)
		}
	}
}

func TestANewlineInsideASecretIsRefused(t *testing.T) {
	// Package base64 would skip it.
	if err := checkSecrets([]Secret{Secret(testSecret[:20] + "\n" + testSecret[20:])}); !errors.Is(err, ErrSecret) {
		t.Errorf("got %v, want ErrSecret", err)
	}
}

func TestNewSecretsDifferAndCanBeUsed(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if a == b {
		t.Error("two new secrets are equal")
	}
	if err := checkSecrets([]Secret{a, b}); err != nil {
		t.Error(err)
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	s := Secret(testSecret)
	var out strings.Builder
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10s"} {
		fmt.Fprintf(&out, format+"\n", s)
		fmt.Fprintf(&out, format+"\n", []Secret{s})
		fmt.Fprintf(&out, format+"\n", struct{ S Secret }{s})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "secret", s, "list", []Secret{s}, "endpoint", Endpoint{Name: "e", Secrets: []Secret{s}})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "secret", s, "list", []Secret{s}, "endpoint", Endpoint{Name: "e", Secrets: []Secret{s}})
	b, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	for _, leak := range []string{"whsec", "YnJpZGdl", fmt.Sprintf("%x", testSecret)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q appears in:\n%s", leak, out.String())
		}
	}
}

func FuzzParseSecrets(f *testing.F) {
	for _, c := range secretCases {
		f.Add(c.list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		secrets, err := ParseSecrets(list)
		if err != nil {
			if !errors.Is(err, ErrSecret) || len(secrets) > 0 {
				t.Fatalf("got %d secrets and %v", len(secrets), err)
			}
			for _, field := range strings.Fields(list) {
				if len(field) > 20 && strings.Contains(err.Error(), field) {
					t.Fatalf("error repeats its input: %v", err)
				}
			}
			return
		}
		again := make([]string, len(secrets))
		for i, s := range secrets {
			again[i] = string(s)
		}
		same, err := ParseSecrets(strings.Join(again, " "))
		if err != nil || len(same) != len(secrets) {
			t.Fatalf("what was accepted is refused when joined: %v", err)
		}
		if _, err := newSigner(secrets); err != nil {
			t.Fatalf("what was accepted cannot sign: %v", err)
		}
	})
}
