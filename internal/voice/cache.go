package voice

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultCacheSize is the default size limit of a Cache: 256 MiB, nine hours of speech.
const DefaultCacheSize = 256 << 20

// A Cache keeps speech in files and evicts the least recently used. It is safe for concurrent use. Several processes may use the
// same directory, each with its own size limit.
//
// A file's name is a hash of the engine, its settings and the request, so that it does not reveal the text; only its owner can
// read it. A file is written under a temporary name and renamed, so none is incomplete. It has a checksum: a file that is
// truncated, changed or too large is removed when it is found. Only complete and valid speech is kept. Files of versions that
// did not check that are removed when the cache is opened.
type Cache struct {
	dir string
	max int64

	mu      sync.Mutex // guards entries, order and size
	entries map[string]*list.Element
	order   list.List // of cached, the most recently used first
	size    int64

	discarded atomic.Int64 // files that were no valid entries
}

// cached is a file in the cache.
type cached struct {
	key  string
	size int64
}

const (
	suffix = ".speech2"
	// oldSuffix is the suffix of versions that also kept incomplete or invalid speech.
	oldSuffix = ".speech"
	// maxEntry is the largest file that is read: the longest audio with the most words.
	maxEntry = maxAudio + 16<<20
	partial  = ".partial-" // the beginning of the name of a file that is being written
	// stale is the age from which a temporary file belongs to a process that died.
	stale = time.Hour
)

// NewCache opens the cache in dir, creates dir if it is missing, and evicts down to max bytes. A max of 0 means
// DefaultCacheSize.
func NewCache(dir string, max int64) (*Cache, error) {
	if max < 0 {
		return nil, fmt.Errorf("voice: a cache of %d bytes is not possible", max)
	}
	if max == 0 {
		max = DefaultCacheSize
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("voice: cache: %w", err)
	}
	c := &Cache{dir: dir, max: max, entries: map[string]*list.Element{}}
	if err := c.scan(); err != nil {
		return nil, fmt.Errorf("voice: cache: %w", err)
	}
	return c, nil
}

// scan indexes the files in the directory by age. It ignores files that are not the cache's.
func (c *Cache) scan() error {
	files, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	type found struct {
		cached
		used time.Time
	}
	var all []found
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // removed since, or not the cache's
		}
		if strings.HasPrefix(f.Name(), partial) && time.Since(info.ModTime()) > stale {
			_ = os.Remove(filepath.Join(c.dir, f.Name()))
		}
		if key, ok := strings.CutSuffix(f.Name(), oldSuffix); ok && len(key) == hex.EncodedLen(sha256.Size) {
			_ = os.Remove(filepath.Join(c.dir, f.Name()))
		}
		if key, ok := strings.CutSuffix(f.Name(), suffix); ok && len(key) == hex.EncodedLen(sha256.Size) {
			all = append(all, found{cached{key, info.Size()}, info.ModTime()})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].used.Before(all[j].used) })
	c.mu.Lock()
	for _, f := range all {
		c.touch(f.cached)
	}
	gone := c.evict()
	c.mu.Unlock()
	c.remove(gone)
	return nil
}

// Size returns the total size of the files, in bytes.
func (c *Cache) Size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// Discarded returns how many damaged files were removed.
func (c *Cache) Discarded() int64 { return c.discarded.Load() }

// get returns the speech for a key, if it is in the cache.
func (c *Cache) get(key string) ([]byte, []Word, bool) {
	b, err := readEntry(c.path(key))
	if err != nil && !errors.Is(err, errEntry) {
		if errors.Is(err, os.ErrNotExist) {
			c.discard(key)
		}
		return nil, nil, false
	}
	audio, words, err := decodeEntry(b)
	if err != nil {
		c.discarded.Add(1)
		c.discard(key)
		_ = os.Remove(c.path(key))
		return nil, nil, false
	}
	now := time.Now()
	_ = os.Chtimes(c.path(key), now, now) // keeps the order of use across restarts
	c.keep(cached{key, int64(len(b))})
	return audio, words, true
}

// readEntry reads a file. It returns errEntry for a file that cannot be an entry.
func readEntry(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxEntry {
		return nil, errEntry
	}
	return os.ReadFile(path)
}

// put writes a complete recording. Write errors are ignored: the speech itself is valid.
func (c *Cache) put(key string, rec *recording) {
	b, err := encodeEntry(rec.content())
	if err != nil || int64(len(b)) > min(c.max, maxEntry) || c.write(key, b) != nil {
		return
	}
	c.keep(cached{key, int64(len(b))})
}

// keep makes an entry the most recently used, and evicts down to the size limit. If another goroutine evicted the file while it
// was read, it is counted until the next get.
func (c *Cache) keep(e cached) {
	c.mu.Lock()
	c.touch(e)
	gone := c.evict()
	c.mu.Unlock()
	c.remove(gone)
}

func (c *Cache) write(key string, b []byte) error {
	f, err := os.CreateTemp(c.dir, partial) // mode 0600
	if errors.Is(err, os.ErrNotExist) && os.MkdirAll(c.dir, 0o700) == nil {
		f, err = os.CreateTemp(c.dir, partial) // the directory was deleted to empty the cache
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), c.path(key))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// touch makes an entry the most recently used. c.mu is held.
func (c *Cache) touch(e cached) {
	if old, ok := c.entries[e.key]; ok {
		c.size -= old.Value.(cached).size
		c.order.Remove(old)
	}
	c.entries[e.key] = c.order.PushFront(e)
	c.size += e.size
}

// discard removes an entry and its damaged file.
func (c *Cache) discard(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		c.drop(e)
	}
}

// drop removes an entry from the index. c.mu is held.
func (c *Cache) drop(e *list.Element) string {
	old := c.order.Remove(e).(cached)
	delete(c.entries, old.key)
	c.size -= old.size
	return old.key
}

// evict removes entries from the index down to the size limit and returns those whose files must be removed. c.mu is held.
func (c *Cache) evict() (gone []string) {
	for c.size > c.max {
		gone = append(gone, c.drop(c.order.Back()))
	}
	return gone
}

func (c *Cache) remove(keys []string) {
	for _, k := range keys {
		_ = os.Remove(c.path(k))
	}
}

func (c *Cache) path(key string) string { return filepath.Join(c.dir, key+suffix) }

// keyOf returns the cache key of a request. Each part is preceded by its length, so that keys of different requests differ.
func keyOf(identity string, r Request) string {
	h := sha256.New()
	for _, part := range []string{"2", identity, r.Voice, r.Language, r.Text} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
