package sandbox_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// programs is where tests keep what they compile.
var programs = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "sandbox-test-") })

func TestMain(m *testing.M) {
	// net/http lingers on a connection whose request it did not read to the end, after Close, too.
	lingering := goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait")
	goleak.VerifyTestMain(m, lingering, goleak.Cleanup(func(code int) {
		if dir, err := programs(); err == nil {
			os.RemoveAll(dir)
		}
		os.Exit(code)
	}))
}

// buildSphinx compiles the recognizer's program once, as it is released: without C.
var buildSphinx = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "bridge-sphinx")
	build := exec.Command("go", "build", "-o", program, "aldeabridge/cmd/sphinx")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return program, nil
})
