package voice

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newCache(t *testing.T, dir string, max int64) *Cache {
	t.Helper()
	c, err := NewCache(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func key(text string) string { return keyOf("engine", Request{Text: text}) }

func TestCacheForgetsWhatWasUsedLeast(t *testing.T) {
	dir := t.TempDir()
	size := int64(entryHead + len("null") + 1000 + entryTail)
	c := newCache(t, dir, 3*size)
	for _, k := range []string{"a", "b", "c"} {
		c.put(key(k), complete(bytes.Repeat([]byte(k), 1000), nil))
	}
	if _, _, ok := c.get(key("a")); !ok {
		t.Fatal("what was put is not there")
	}
	c.put(key("d"), complete(make([]byte, 1000), nil))
	c.put(key("too big"), complete(make([]byte, 4*size), nil))
	for k, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true, "too big": false} {
		if _, err := os.Stat(c.path(key(k))); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", k, err == nil, want)
		}
	}
	if c.Size() != 3*size {
		t.Errorf("got a size of %d, want %d", c.Size(), 3*size)
	}

	// After a restart the order is that of the use, and a smaller bound holds at once.
	old := time.Now().Add(-time.Minute)
	for _, k := range []string{"c", "d"} {
		if err := os.Chtimes(c.path(key(k)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	c = newCache(t, dir, size)
	if audio, _, ok := c.get(key("a")); !ok || !bytes.Equal(audio, bytes.Repeat([]byte("a"), 1000)) || c.Size() != size {
		t.Errorf("after a restart: a is there: %v, size %d, want only a", ok, c.Size())
	}
}

func TestCacheDiscardsWhatIsNotWhole(t *testing.T) {
	dir := t.TempDir()
	c := newCache(t, dir, 0)
	words := []Word{{"hello", 0, time.Second}}
	c.put(key("x"), complete([]byte("audio"), words))
	good, err := os.ReadFile(c.path(key("x")))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for name, bad := range map[string][]byte{"cut": good[:i], "changed": append(append([]byte(nil), good[:i]...), append([]byte{good[i] ^ 1}, good[i+1:]...)...)} {
			if err := os.WriteFile(c.path(key("x")), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, ok := c.get(key("x")); ok {
				t.Fatalf("%s at byte %d: it was taken", name, i)
			}
			if _, err := os.Stat(c.path(key("x"))); err == nil {
				t.Fatalf("%s at byte %d: it is still there", name, i)
			}
		}
	}
	if c.Size() != 0 {
		t.Errorf("got a size of %d, want 0", c.Size())
	}
}

func TestCacheFilesTellNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := newCache(t, dir, 0)
	c.put(key("the account of Mrs Miller"), complete([]byte("audio"), nil))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	info, err := files[0].Info()
	if err != nil || info.Mode() != 0o600 || len(strings.TrimSuffix(info.Name(), suffix)) != 64 {
		t.Errorf("got %s with mode %v, %v; want a hash with 0600", info.Name(), info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, want 0700", info.Mode())
	}
}

func TestCacheIsEmptiedByDeletingItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := newCache(t, dir, 0)
	c.put(key("x"), complete([]byte("audio"), nil))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := c.get(key("x")); ok || c.Size() != 0 {
		t.Errorf("it was kept, or counts as %d bytes", c.Size())
	}
	c.put(key("y"), complete([]byte("audio"), nil))
	if _, _, ok := c.get(key("y")); !ok {
		t.Error("nothing is kept any more")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got the directory %v, %v; want it made again, for its owner only", info, err)
	}
}

func TestCacheRemovesWhatADeadProcessLeft(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{partial + "old": 2 * stale, partial + "new": 0, "README": 2 * stale} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	newCache(t, dir, 0)
	files, _ := os.ReadDir(dir)
	if got := fmt.Sprint(files); got != "[- "+partial+"new - README]" {
		t.Errorf("got %s, want what is new and what is not ours", got)
	}
}

func TestCacheIsUsedConcurrently(t *testing.T) {
	c := newCache(t, t.TempDir(), 20_000)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				k := fmt.Sprint((g + i) % 11)
				c.put(key(k), complete(bytes.Repeat([]byte(k), 3000), nil))
				if audio, _, ok := c.get(key(k)); ok && !bytes.Equal(audio, bytes.Repeat([]byte(k), 3000)) {
					t.Error("got somebody else's audio")
				}
			}
		})
	}
	wg.Wait()
	if c.Size() > 20_000 {
		t.Errorf("got a size of %d, want at most 20000", c.Size())
	}
}

// What an older version kept may be anything: it is made again.
func TestCacheOfAnOlderVersionIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, key("x")+".speech")
	if err := os.WriteFile(old, []byte("speech1\n\x00\x00\x00\x04nullaudio"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCache(t, dir, 0)
	if _, err := os.Stat(old); err == nil || c.Size() != 0 {
		t.Errorf("it is still there, or counts as %d bytes", c.Size())
	}
	c.put(key("x"), complete([]byte("audio"), nil))
	b, err := os.ReadFile(c.path(key("x")))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.path(key("x")), bytes.Replace(b, []byte("speech2"), []byte("speech1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := c.get(key("x")); ok || c.Discarded() != 1 {
		t.Errorf("an entry of the older form is taken, or not counted: %d", c.Discarded())
	}
}

func TestCacheTakesNothingThatIsNoEntry(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"a directory":  func(path string) error { return os.Mkdir(path, 0o700) },
		"a link":       func(path string) error { return os.Symlink("/dev/zero", path) },
		"a large file": func(path string) error { return makeLarge(path, maxEntry+1) },
		"no audio": func(path string) error {
			b, err := encodeEntry(nil, []Word{{"hello", 0, 1}})
			if err != nil {
				return err
			}
			return os.WriteFile(path, b, 0o600)
		},
	} {
		c := newCache(t, t.TempDir(), 0)
		if err := plant(c.path(key("x"))); err != nil {
			t.Fatal(err)
		}
		if _, _, ok := c.get(key("x")); ok || c.Discarded() != 1 {
			t.Errorf("%s: it is taken, or not counted", name)
		}
		if _, err := os.Lstat(c.path(key("x"))); err == nil {
			t.Errorf("%s: it is still there", name)
		}
	}
}

// makeLarge makes a file without content.
func makeLarge(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(size)
}

// A file that is read while another call evicts it is counted once more. The bound holds all the same.
func TestCacheReadsWithinItsBound(t *testing.T) {
	size := int64(entryHead + len("null") + 1000 + entryTail)
	c := newCache(t, t.TempDir(), 2*size)
	for _, k := range []string{"a", "b"} {
		c.put(key(k), complete(make([]byte, 1000), nil))
	}
	b, err := encodeEntry(make([]byte, 1000), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.path(key("c")), b, 0o600); err != nil { // as another process does, or as it was before it was evicted
		t.Fatal(err)
	}
	if _, _, ok := c.get(key("c")); !ok {
		t.Fatal("it is not found")
	}
	if c.Size() != 2*size {
		t.Errorf("got a size of %d, want %d", c.Size(), 2*size)
	}
	if _, err := os.Stat(c.path(key("a"))); err == nil {
		t.Error("the least recently used is still there")
	}
}
