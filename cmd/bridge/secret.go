package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"aldeabridge/internal/config"
	"aldeabridge/webhooks"
)

// secretText returns the text of the secret called name: the environment variable, or the content of the file that
// name_FILE names, without surrounding white space. It is empty only if neither is set. Both at once is an error, as is a
// file that cannot be read, and a text of which nothing is left: a mistake there must not open what the secret protects.
func secretText(name string) (string, error) {
	value, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case file == "" && value != "" && strings.TrimSpace(value) == "":
		return "", fmt.Errorf("%s is set, but to white space only: set it to the secret, or leave it out", name)
	case file == "":
		return strings.TrimSpace(value), nil
	case value != "":
		return "", fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
	}
	value, err := secretFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return value, nil
}

// secret returns the secret called name, empty if it is not set.
func secret(name string) (string, error) {
	text, err := secretText(name)
	if err != nil {
		return "", err
	}
	return text, checkSecret(name, text)
}

// secretList returns the secrets called name, separated by commas: the present one first, then others during a rotation.
// There are none only if it is not set.
func secretList(name string) ([]string, error) {
	text, err := secretText(name)
	if err != nil || text == "" {
		return nil, err
	}
	all := splitTokens(text)
	if len(all) == 0 {
		return nil, fmt.Errorf("%s is set, but there is nothing between its commas: set it to the secret, or leave it out", name)
	}
	for _, s := range all {
		if err := checkSecret(name, s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// webhookSecrets returns the signing secrets called name; none if it is not set.
func webhookSecrets(name string) ([]webhooks.Secret, error) {
	text, err := secretText(name)
	if err != nil || text == "" {
		return nil, err
	}
	all, err := webhooks.ParseSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "webhooks: "))
	}
	return all, nil
}

// checkSecret returns an error if s, part of the secret called name, cannot be one: it has no letter and no digit, quotes
// around it, or a character that no header or path carries as it is. The error does not repeat the secret.
func checkSecret(name, s string) error {
	for i, r := range []rune(s) {
		if r <= ' ' || r > '~' {
			return fmt.Errorf("%s: character %d of the secret is %U: only letters, digits and signs of ASCII can be sent", name, i+1, r)
		}
	}
	switch {
	case s == "":
		return nil // not set
	case !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return fmt.Errorf("%s is set, but has no letter and no digit: set it to the secret, or leave it out", name)
	case strings.ContainsAny(s[:1], `"'`) && s[0] == s[len(s)-1]:
		return fmt.Errorf("%s: there are quotes around the secret: leave them out", name)
	}
	return nil
}

// secretFile returns the content of a file without surrounding white space. It is an error if nothing is left.
func secretFile(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if s := strings.TrimSpace(string(b)); s != "" {
		return s, nil
	}
	return "", fmt.Errorf("%s is empty", file)
}

// keptWebhookSecret returns the secret that this installation made for a webhook, and the file it is kept in; it makes
// both at first use. It serves those who set none, such as WEBHOOK_SECRET: requests are always signed.
func keptWebhookSecret(dataDir, webhook string) (value, file string, err error) {
	file = filepath.Join(dataDir, "webhook-secret")
	if webhook != config.DefaultWebhook {
		file += "-" + webhook
	}
	b, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(b)), file, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", file, err
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return "", file, err
	}
	if err := writeOnce(file, newWebhookSecret()+"\n"); err != nil {
		return "", file, err
	}
	b, err = os.ReadFile(file) // ours, or that of another process that was faster
	return strings.TrimSpace(string(b)), file, err
}

// writeOnce makes a file that only its owner reads, whole or not at all. One that is there already stays.
func writeOnce(file, content string) error {
	temp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // readable by its owner only
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(content)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// splitTokens returns the items of a list that are not empty.
func splitTokens(list string) []string {
	var tokens []string
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t != "" {
			tokens = append(tokens, t)
		}
	}
	return tokens
}

// newWebhookSecret returns 32 random bytes as Standard Webhooks writes a secret.
func newWebhookSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// dataDir is where data lives.
func (o *options) dataDir() (string, error) {
	if o.DataDir != "" {
		return o.DataDir, nil
	}
	return defaultDataDir()
}

// defaultDataDir is where data lives unless BRIDGE_DATA_DIR says otherwise: the user's data directory by the
// XDG Base Directory Specification.
func defaultDataDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bridge"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no data directory: set BRIDGE_DATA_DIR (%w)", err)
	}
	return filepath.Join(home, ".local", "share", "bridge"), nil
}
