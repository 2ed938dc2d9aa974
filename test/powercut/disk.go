package powercut

import (
	"math/rand/v2"
	"sync"
	"time"
)

// sector is what a drive writes whole or not at all.
const sector = 512

// A disk is one directory of files. Its zero value is empty.
type disk struct {
	delay    time.Duration // how long a sync takes
	capacity int           // bytes that fit; 0 is no bound

	mu      sync.Mutex // guards all below
	names   map[string]*file
	durable map[string]*file
	used    int
	syncs   int
}

// A file is what programs see, and what they would find after a power cut.
type file struct {
	inode   uint64
	live    []byte
	durable []byte
	pending []change // from durable to live
}

// A change is a write, or if it has no data a truncation.
type change struct {
	at   int
	data []byte
}

// newDisk returns a disk with files on it that are synced.
func newDisk(files map[string][]byte) *disk {
	d := &disk{names: map[string]*file{}, durable: map[string]*file{}}
	for name, content := range files {
		f := &file{inode: uint64(len(d.names)) + 2, live: content, durable: append([]byte(nil), content...)}
		d.names[name], d.durable[name] = f, f
		d.used += len(content)
	}
	return d
}

// apply makes a change to content.
func (c change) apply(content []byte) []byte {
	if c.data == nil {
		return resize(content, c.at)
	}
	if end := c.at + len(c.data); end > len(content) {
		content = resize(content, end)
	}
	copy(content[c.at:], c.data)
	return content
}

// resize cuts content or fills it up with zeros.
func resize(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size:size]
	}
	return append(content, make([]byte, size-len(content))...)
}

// flush makes a file durable.
func (f *file) flush() {
	for _, c := range f.pending {
		f.durable = c.apply(f.durable)
	}
	f.pending = nil
}

// cut returns what is found after a power cut now. Each sector that was not synced survives with a probability.
func (d *disk) cut(r *rand.Rand, survives float64) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := map[string][]byte{}
	for name, f := range d.durable {
		content := append([]byte(nil), f.durable...)
		for _, c := range f.pending {
			if c.data == nil {
				if r.Float64() < survives {
					content = c.apply(content)
				}
				continue
			}
			for at := 0; at < len(c.data); at += sector {
				if r.Float64() < survives {
					content = change{c.at + at, c.data[at:min(at+sector, len(c.data))]}.apply(content)
				}
			}
		}
		found[name] = content
	}
	return found
}
