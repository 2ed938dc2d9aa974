package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Reading a damaged file asks for no more of it than each page by itself: no header, no schema and no way from page to
// page. The formats are SQLite's: sqlite.org/fileformat2.html.

const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
	// pageSize is the size of a journal's pages: SQLite's default, of which nothing is reserved.
	pageSize = 4096
)

// A pageFile reads pages of a database and its log, whatever else is wrong with them.
type pageFile struct {
	db, log *os.File // nil if there is none
	bytes   int64    // of the database
	tail    walTail
	newer   map[uint32]int64 // where in the log the newest version of a page is
	chained int64            // pages that may still be read as the rest of a row
}

// openPages opens the database at path for reading. One that is not there has no pages.
func openPages(path string) (*pageFile, error) {
	p := &pageFile{newer: map[uint32]int64{}}
	if err := p.open(path); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrDisk, err), p.close())
	}
	return p, nil
}

func (p *pageFile) open(path string) (err error) {
	if p.db, p.bytes, err = openIfThere(path); err != nil {
		return err
	}
	var logBytes int64
	if p.log, logBytes, err = openIfThere(path + "-wal"); err != nil {
		return err
	}
	if p.log != nil {
		p.tail = readLog(p.log, logBytes)
		p.take(p.tail.committed)
	}
	// A page that goes on with a row belongs to that row alone, in the file and in the log.
	p.chained = 2 * (p.bytes + logBytes) / pageSize
	return nil
}

func openIfThere(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// take makes frames of the log the newest versions of their pages.
func (p *pageFile) take(frames []frame) {
	for _, f := range frames {
		p.newer[f.page] = f.at
	}
}

// inFile is how many pages the file has, the last perhaps in part.
func (p *pageFile) inFile() uint32 {
	return uint32(min((p.bytes+pageSize-1)/pageSize, maxPages))
}

// maxPages is how many SQLite allows.
const maxPages = 1<<32 - 2

// read returns a page, filled up with zeros if the file ends in it, or nil if it cannot be read.
func (p *pageFile) read(n uint32) []byte {
	if at, ok := p.newer[n]; ok {
		return p.readAt(p.log, at)
	}
	return p.stored(n)
}

// stored returns a page as it is in the file, whatever the log says.
func (p *pageFile) stored(n uint32) []byte {
	if at := int64(n-1) * pageSize; n > 0 && at < p.bytes {
		return p.readAt(p.db, at)
	}
	return nil
}

func (*pageFile) readAt(f *os.File, at int64) []byte {
	page := make([]byte, pageSize)
	if _, err := f.ReadAt(page, at); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return page
}

// pages is how many pages the database has, as far as it says so.
func (p *pageFile) pages() uint32 {
	if head := p.read(1); head != nil && string(head[:len(magic)]) == magic {
		return binary.BigEndian.Uint32(head[28:])
	}
	return 0
}

// An owner is who made a database.
type owner int

const (
	unknown owner = iota
	nobody        // there are no tables in it
	ours
	others
)

// owner is who the first page says made the database.
func (p *pageFile) owner() owner {
	head := p.read(1)
	switch {
	case head == nil || string(head[:len(magic)]) != magic:
		return unknown
	case binary.BigEndian.Uint32(head[68:]) == applicationID:
		return ours
	case head[headerSize] == pageTableLeaf && binary.BigEndian.Uint16(head[headerSize+3:]) == 0:
		return nobody
	}
	return others
}

func (p *pageFile) close() error {
	var errs []error
	for _, f := range []*os.File{p.db, p.log} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
