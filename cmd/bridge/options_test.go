package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// parseServe parses a serve command line with exactly the environment given.
func parseServe(t testing.TB, env map[string]string, args ...string) (*options, error) {
	t.Helper()
	for _, name := range []string{"BRIDGE_LISTEN", "BRIDGE_PUBLIC_URL", "BRIDGE_API_TOKEN", "BRIDGE_MEDIA_TOKEN", "ALDEA_URL", "ALDEA_API_KEY",
		"WEBHOOK_URL", "WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID"} {
		t.Setenv(name, env[name])
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	var p program
	parser, err := newParser(&p, terminal{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"serve"}, args...))
	return &p.Serve.options, err
}

const (
	secretA = "whsec_YnJpZGdlLXRlc3Qta2V5LWN1cnJlbnQtMDAwMDAwMzI="
	secretB = "whsec_YnJpZGdlLXRlc3Qta2V5LXByZXZpb3VzLTAwMDAwMzI="
)

func TestTheEnvironmentConfiguresTheServer(t *testing.T) {
	o, err := parseServe(t, map[string]string{
		"BRIDGE_LISTEN": "0.0.0.0:9000", "BRIDGE_PUBLIC_URL": "https://bridge.example.com", "BRIDGE_API_TOKEN": "0123456789abcdef",
		"ALDEA_URL": "wss://stt.example.com", "ALDEA_API_KEY": "org_1", "ALDEA_AUTH": "bearer", "ALDEA_SAMPLE_RATE": "8000",
		"ALDEA_LANGUAGE": "es", "ALDEA_ENDPOINTING": "false", "ALDEA_UTTERANCE_END_MS": "2000", "ALDEA_KEYWORDS": "uno,dos", "ALDEA_REDACT": "pci",
		"WEBHOOK_URL": "https://you.example.com/x", "WEBHOOK_SECRET": secretA + " " + secretB, "TWILIO_AUTH_TOKEN": "new, old",
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.secrets.aldeaKey != "org_1" || len(o.secrets.webhook) != 2 || len(o.secrets.twilio) != 2 || o.secrets.twilio[1] != "old" {
		t.Errorf("got %d webhook secrets, %d auth tokens, want 2 and 2 and the key", len(o.secrets.webhook), len(o.secrets.twilio))
	}
	if a := o.Aldea; a.SampleRate != 8000 || a.Auth != "bearer" || a.Language != "es" || a.Endpointing != "false" || len(a.Keywords) != 2 {
		t.Errorf("got %+v", a)
	}
	if got := o.Aldea.utteranceTimeout(); got != 2500*time.Millisecond {
		t.Errorf("got an utterance time-out of %v, want 2.5 s", got)
	}
}

func TestNonsenseIsRefusedByTheOptionsName(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want []string // all in the message
	}{
		{"a listener without a port", map[string]string{"BRIDGE_LISTEN": "localhost"}, nil, []string{"BRIDGE_LISTEN", "127.0.0.1:8080"}},
		{"open to others without authentication", map[string]string{"BRIDGE_LISTEN": ":8080"}, nil, []string{"BRIDGE_LISTEN", "TWILIO_AUTH_TOKEN", "--insecure"}},
		{"open to others without an API token", map[string]string{"BRIDGE_LISTEN": ":8080", "BRIDGE_MEDIA_TOKEN": "media-0123456789"}, nil, []string{"BRIDGE_API_TOKEN"}},
		{"signatures without a public URL", map[string]string{"BRIDGE_LISTEN": ":8080", "TWILIO_AUTH_TOKEN": "t", "BRIDGE_API_TOKEN": "0123456789abcdef"}, nil, []string{"BRIDGE_PUBLIC_URL"}},
		{"signatures without a public URL on this machine", map[string]string{"TWILIO_AUTH_TOKEN": "t"}, nil, []string{"BRIDGE_PUBLIC_URL"}},
		{"a language that the recognizer does not know", map[string]string{"ALDEA_LANGUAGE": "de"}, nil, []string{`ALDEA_LANGUAGE: "de"`, "es-ES", "ALDEA_LANGUAGES allows"}},
		{"languages that are none", map[string]string{"ALDEA_LANGUAGES": "english language"}, nil, []string{"ALDEA_LANGUAGES", "english language"}},
		{"languages that lack the one", map[string]string{"ALDEA_LANGUAGES": "de, fr"}, nil, []string{`ALDEA_LANGUAGE: "en"`, "de, fr"}},
		{"a public URL with a query", map[string]string{"BRIDGE_PUBLIC_URL": "https://b.example/?x=1"}, nil, []string{"BRIDGE_PUBLIC_URL"}},
		{"a public URL without a host", map[string]string{"BRIDGE_PUBLIC_URL": "https://:443"}, nil, []string{"BRIDGE_PUBLIC_URL", "https://"}},
		{"a proxy that is no address", map[string]string{"BRIDGE_TRUSTED_PROXIES": "10.0.0.0/8, proxy.example"}, nil, []string{"BRIDGE_TRUSTED_PROXIES", `"proxy.example"`}},
		{"proxies that are empty", map[string]string{"BRIDGE_TRUSTED_PROXIES": ","}, nil, []string{"BRIDGE_TRUSTED_PROXIES"}},
		{"a proxy's address with a zone", map[string]string{"BRIDGE_TRUSTED_PROXIES": "fe80::1%eth0"}, nil, []string{"BRIDGE_TRUSTED_PROXIES"}},
		{"a public URL without a scheme", map[string]string{"BRIDGE_PUBLIC_URL": "bridge.example.com"}, nil, []string{"BRIDGE_PUBLIC_URL", "https://"}},
		{"a recognizer without a key", map[string]string{"ALDEA_URL": "wss://x"}, nil, []string{"ALDEA_URL", "ALDEA_API_KEY"}},
		{"a webhook secret without prefix", map[string]string{"WEBHOOK_SECRET": "hello"}, nil, []string{"WEBHOOK_SECRET", "whsec_"}},
		{"a sample rate no recognizer wants", nil, []string{"--aldea-sample-rate=44100"}, []string{"aldea-sample-rate", "8000"}},
		{"a way to authenticate that does not exist", nil, []string{"--aldea-auth=basic"}, []string{"aldea-auth", "bearer"}},
		{"an endpointing that is no number", map[string]string{"ALDEA_ENDPOINTING": "soon"}, nil, []string{"ALDEA_ENDPOINTING", "false"}},
		{"plain text over the internet", map[string]string{"ALDEA_URL": "ws://stt.example.com", "ALDEA_API_KEY": "org_1"}, nil, []string{"ALDEA_URL", "ALDEA_PLAINTEXT"}},
		{"a chunk that is too small", map[string]string{"ALDEA_CHUNK": "5ms"}, nil, []string{"ALDEA_CHUNK", "20"}},
		{"a grace period that is over before it begins", map[string]string{"BRIDGE_GRACE": "-1s"}, nil, []string{"BRIDGE_GRACE"}},
		{"a path token that is no segment", map[string]string{"BRIDGE_MEDIA_TOKEN": "a/b"}, nil, []string{"BRIDGE_MEDIA_TOKEN"}},
		{"no calls at all", nil, []string{"--max-calls=0"}, []string{"BRIDGE_MAX_CALLS"}},
		{"a tick that is too long", nil, []string{"--tick=1s"}, []string{"BRIDGE_TICK", "200ms"}},
		{"a flag that does not exist", nil, []string{"--lisen=:1"}, []string{"--lisen"}},
		{"a key on the command line", nil, []string{"--aldea-api-key=org_1"}, []string{"aldea-api-key"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseServe(t, tt.env, tt.args...)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %q, want it to mention %s", err, w)
				}
			}
		})
	}
}

func TestASecretCanComeFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("org_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parseServe(t, map[string]string{"ALDEA_API_KEY_FILE": file})
	if err != nil || o.secrets.aldeaKey != "org_file" {
		t.Errorf("got %q, %v, want org_file", o.secrets.aldeaKey, err)
	}
	if _, err := parseServe(t, map[string]string{"ALDEA_API_KEY_FILE": file, "ALDEA_API_KEY": "org_env"}); err == nil {
		t.Error("both the variable and the file: got no error")
	}
	if _, err := parseServe(t, map[string]string{"ALDEA_API_KEY_FILE": file + "x"}); err == nil || !strings.Contains(err.Error(), "ALDEA_API_KEY_FILE") {
		t.Errorf("a file that is not there: got %v, want an error that names the variable", err)
	}
}

// Templates with empty variables yield such texts. None of them may mean the same as no secret.
func TestASecretThatIsSetButEmptyIsRefused(t *testing.T) {
	names := []string{"BRIDGE_API_TOKEN", "BRIDGE_MEDIA_TOKEN", "TWILIO_AUTH_TOKEN", "TWILIO_API_SECRET", "ALDEA_API_KEY", "VOICE_API_KEY",
		"OPENAI_API_KEY", "WEBHOOK_SECRET"}
	texts := []string{",", " , ,", " ", "\n\t", "\u00a0", "\ufeff", "\u200b,\u200b", `""`, "''", ";", "-"}
	for _, name := range names {
		for _, text := range texts {
			file := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for variable, value := range map[string]string{name: text, name + "_FILE": file} {
				t.Run(variable+strconv.Quote(text), func(t *testing.T) {
					_, err := parseServe(t, map[string]string{variable: value, "BRIDGE_PUBLIC_URL": "https://b.example"}, "--voice-engine=openai")
					if err == nil || !strings.Contains(err.Error(), name) {
						t.Errorf("got %v, want an error that names %s", err, name)
					}
				})
			}
		}
	}
}

func TestASecretThatCannotBeSentIsRefused(t *testing.T) {
	for _, text := range []string{"0123456789 abcdef", "0123456789\nabcdef", "0123456789äbcdef", "\ufeff0123456789abcdef", `"0123456789abcdef"`} {
		_, err := parseServe(t, map[string]string{"BRIDGE_API_TOKEN": text})
		if err == nil || !strings.Contains(err.Error(), "BRIDGE_API_TOKEN") || strings.Contains(err.Error(), "456789") {
			t.Errorf("%q: got %v, want an error that names the variable and not the token", text, err)
		}
	}
}

func TestATokenThatCanBeGuessedIsRefused(t *testing.T) {
	const long, short = "0123456789abcdef", "0123456789abcde"
	for _, tt := range []struct {
		name, token string
		env         map[string]string
		ok          bool
	}{
		{"long enough", "BRIDGE_API_TOKEN", map[string]string{"BRIDGE_LISTEN": ":8080", "BRIDGE_API_TOKEN": long, "BRIDGE_MEDIA_TOKEN": long}, true},
		{"an empty place in the list", "BRIDGE_API_TOKEN", map[string]string{"BRIDGE_API_TOKEN": long + ",", "BRIDGE_PUBLIC_URL": "https://b.example"}, true},
		{"short", "BRIDGE_API_TOKEN", map[string]string{"BRIDGE_LISTEN": ":8080", "BRIDGE_API_TOKEN": short, "BRIDGE_MEDIA_TOKEN": long}, false},
		{"short, with --insecure", "BRIDGE_API_TOKEN", map[string]string{"BRIDGE_LISTEN": ":8080", "BRIDGE_API_TOKEN": short, "BRIDGE_INSECURE": "true"}, false},
		{"the second is short", "number 2 of 2", map[string]string{"BRIDGE_PUBLIC_URL": "https://b.example", "BRIDGE_API_TOKEN": long + "," + short}, false},
		{"short, behind a proxy", "BRIDGE_API_TOKEN", map[string]string{"BRIDGE_PUBLIC_URL": "https://b.example", "BRIDGE_API_TOKEN": short}, false},
		{"short, for this machine only", "BRIDGE_API_TOKEN", map[string]string{"BRIDGE_API_TOKEN": short}, true},
		{"a short path token", "BRIDGE_MEDIA_TOKEN", map[string]string{"BRIDGE_MEDIA_TOKEN": short}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseServe(t, tt.env)
			if tt.ok && err != nil || !tt.ok && (err == nil || !strings.Contains(err.Error(), tt.token)) {
				t.Errorf("got %v, want success: %v", err, tt.ok)
			}
		})
	}
}

func TestTheWebhookSecretIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, file, err := keptWebhookSecret(dir, "default")
	if err != nil {
		t.Fatal(err)
	}
	if second, _, err := keptWebhookSecret(dir, "default"); err != nil || second != first {
		t.Errorf("got another secret or %v the second time", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file only its owner reads", info, err)
	}
}

// The README's table and the options are the same set.
func TestEveryOptionHasALineInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var p program
	parser, err := newParser(&p, terminal{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	flags := parser.Model.Flags
	for _, c := range parser.Model.Children {
		flags = append(flags, c.Flags...)
	}
	seen := 0
	for _, f := range flags {
		for _, env := range f.Envs {
			seen++
			if line := "| `" + env + "` | `--" + f.Name + "` |"; !strings.Contains(string(readme), line) {
				t.Errorf("README.md has no line that begins %s", line)
			}
		}
	}
	if seen < 15 {
		t.Errorf("got %d options, want them all", seen)
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add("127.0.0.1:1", "https://a.example", "300", "a,b", "whsec_x", "60ms", "tok")
	f.Add(":8080", "", "false", "", secretA, "1h", "")
	f.Add("[::1]:1", "ftp://x", "-5", ",,", secretB+" "+secretA, "x", ",")
	f.Fuzz(func(t *testing.T, listen, public, endpointing, keywords, webhook, chunk, tokens string) {
		env := map[string]string{"BRIDGE_LISTEN": listen, "BRIDGE_PUBLIC_URL": public, "ALDEA_ENDPOINTING": endpointing, "ALDEA_KEYWORDS": keywords,
			"WEBHOOK_SECRET": webhook, "ALDEA_CHUNK": chunk, "TWILIO_AUTH_TOKEN": tokens}
		for name, value := range env {
			if strings.ContainsRune(value, 0) {
				delete(env, name) // an environment cannot hold it
			}
		}
		o, err := parseServe(t, env)
		if err != nil {
			if strings.Contains(err.Error(), secretA) || strings.Contains(err.Error(), secretB) {
				t.Errorf("the error shows a secret: %v", err)
			}
			return
		}
		if o.MaxCalls < 1 || o.Listen == "" {
			t.Errorf("accepted %+v", o)
		}
	})
}
