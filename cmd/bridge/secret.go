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
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	if s := strings.TrimSpace(string(b)); s != "" {
		return s, nil
	}
	return "", fmt.Errorf("%s_FILE: %s is empty", name, file)
}

// keptWebhookSecret returns the webhook secret that this installation made for itself, and the file it is
// kept in; it makes both at first use. It serves those who set no WEBHOOK_SECRET: requests are always signed.
func keptWebhookSecret(dataDir string) (value, file string, err error) {
	file = filepath.Join(dataDir, "webhook-secret")
	b, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(b)), file, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", file, err
	}
	value = newWebhookSecret()
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return "", file, err
	}
	return value, file, os.WriteFile(file, []byte(value+"\n"), 0o600)
}

// newWebhookSecret returns 32 random bytes as Standard Webhooks writes a secret.
func newWebhookSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
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
