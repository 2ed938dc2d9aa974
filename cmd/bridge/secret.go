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

	"aldeabridge/routing"
)

// secret returns the secret called name: the environment variable, or the content of the file that name_FILE
// names, without surrounding white space. Both at once is an error, as is a file that cannot be read.
func secret(name string) (string, error) {
	value, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
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
	if webhook != routing.DefaultWebhook {
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

// splitTokens returns the auth tokens of a list: the present one first, then others during a rotation.
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
