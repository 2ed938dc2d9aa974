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

// DefaultCacheSize is how much a Cache keeps if nothing else is said: 256 MiB, nine hours of speech.
const DefaultCacheSize = 256 << 20

// A Cache keeps speech that was made, in files. The least recently used goes when there is too much. It may be used
// concurrently; other processes may use the same directory, each with a bound of its own.
//
// A file's name is a hash of the engine, its settings and the request, so that it does not tell what is said; only its owner
// can read it. A file is written beside its place and renamed: there are no halves. It has a checksum: one that is not whole,
// was changed or is too large is removed when it is found. Only speech that was complete and valid is kept. Files of
// versions that did not make sure of that are removed when the cache is opened.
type Cache struct {
	dir string
	max int64

	mu      sync.Mutex // guards entries, order and size
	entries map[string]*list.Element
	order   list.List // of cached, the most recently used first
	size    int64

	discarded atomic.Int64 // files that were no valid entries
}

// cached is a file of the cache.
type cached struct {
	key  string
	size int64
}

const (
	suffix = ".speech2"
	// oldSuffix is that of versions that also kept speech which was cut short, or was none.
	oldSuffix = ".speech"
	// maxEntry is the largest file that is read: the longest audio, and as many words as there can be.
	maxEntry = maxAudio + 16<<20
	partial  = ".partial-" // the beginning of the name of a file that is being written
	// stale is the age from which a file that is being written was forgotten by a process that died.
	stale = time.Hour
)

// NewCache opens the cache in dir, which is made if it is missing, and removes what is over max bytes. A max of 0 means
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

// scan takes in what is in the directory, by age. Files of others are let alone.
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
			continue // gone meanwhile, or not ours
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
		c.remember(f.cached)
	}
	gone := c.evict()
	c.mu.Unlock()
	c.remove(gone)
	return nil
}

// Size is how much is kept, in bytes.
func (c *Cache) Size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// Discarded is how many files were not used because they were damaged.
func (c *Cache) Discarded() int64 { return c.discarded.Load() }

// get returns what was kept.
func (c *Cache) get(key string) ([]byte, []Word, bool) {
	b, err := readEntry(c.path(key))
	if err != nil && !errors.Is(err, errEntry) {
		if errors.Is(err, os.ErrNotExist) {
			c.forget(key)
		}
		return nil, nil, false
	}
	audio, words, err := decodeEntry(b)
	if err != nil {
		c.discarded.Add(1)
		c.forget(key)
		_ = os.Remove(c.path(key))
		return nil, nil, false
	}
	now := time.Now()
	_ = os.Chtimes(c.path(key), now, now) // so that the order is known after a restart
	c.keep(cached{key, int64(len(b))})
	return audio, words, true
}

// readEntry reads a file. What cannot be an entry is an errEntry.
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

// put keeps a recording that is whole. That it cannot be written is no fault of the speech.
func (c *Cache) put(key string, rec *recording) {
	b, err := encodeEntry(rec.content())
	if err != nil || int64(len(b)) > min(c.max, maxEntry) || c.write(key, b) != nil {
		return
	}
	c.keep(cached{key, int64(len(b))})
}

// keep makes an entry the most recently used, and removes what is over the bound. A file that was read may have been evicted
// meanwhile: then it is counted again until it is looked for.
func (c *Cache) keep(e cached) {
	c.mu.Lock()
	c.remember(e)
	gone := c.evict()
	c.mu.Unlock()
	c.remove(gone)
}

func (c *Cache) write(key string, b []byte) error {
	f, err := os.CreateTemp(c.dir, partial) // mode 0600
	if errors.Is(err, os.ErrNotExist) && os.MkdirAll(c.dir, 0o700) == nil {
		f, err = os.CreateTemp(c.dir, partial) // somebody emptied the cache by deleting its directory
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

// remember makes an entry the most recently used. c.mu is held.
func (c *Cache) remember(e cached) {
	if old, ok := c.entries[e.key]; ok {
		c.size -= old.Value.(cached).size
		c.order.Remove(old)
	}
	c.entries[e.key] = c.order.PushFront(e)
	c.size += e.size
}

// forget takes an entry out whose file is of no use.
func (c *Cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		c.drop(e)
	}
}

// drop takes an entry out. c.mu is held.
func (c *Cache) drop(e *list.Element) string {
	old := c.order.Remove(e).(cached)
	delete(c.entries, old.key)
	c.size -= old.size
	return old.key
}

// evict takes out what is over the bound and returns whose files have to go. c.mu is held.
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

// keyOf is the name of a speech. Each part is preceded by its length, so that no two requests look alike.
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
