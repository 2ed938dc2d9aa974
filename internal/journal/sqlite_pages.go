package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// A damaged file is read page by page. Neither its header, nor its schema, nor the links between pages are needed.
// The formats are described at sqlite.org/fileformat2.html.
const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
	// pageSize is the page size of a journal: SQLite's default, without reserved bytes.
	pageSize = 4096
)

// A pageFile reads pages of a damaged database and its WAL.
type pageFile struct {
	db, log *os.File // nil if the file does not exist
	bytes   int64    // size of the database
	tail    walTail
	newer   map[uint32]int64 // offset in the WAL of each page's newest version
	chained int64            // number of overflow pages that may still be read
}

// openPages opens the database at path for reading. A missing file has no pages.
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
		p.apply(p.tail.committed)
	}
	// Each overflow page belongs to one row only, in the database and in the WAL.
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

// apply makes frames of the WAL the newest versions of their pages.
func (p *pageFile) apply(frames []frame) {
	for _, f := range frames {
		p.newer[f.page] = f.at
	}
}

// inFile returns the number of pages in the database file; the last one may be incomplete.
func (p *pageFile) inFile() uint32 {
	return uint32(min((p.bytes+pageSize-1)/pageSize, maxPages))
}

// maxPages is SQLite's limit.
const maxPages = 1<<32 - 2

// read returns a page, padded with zeros if the file ends in it, or nil if it cannot be read.
func (p *pageFile) read(n uint32) []byte {
	if at, ok := p.newer[n]; ok {
		return p.readAt(p.log, at)
	}
	return p.stored(n)
}

// stored returns a page from the database file, ignoring the WAL.
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

// pages returns the number of pages according to the database header, or 0.
func (p *pageFile) pages() uint32 {
	if head := p.read(1); head != nil && string(head[:len(magic)]) == magic {
		return binary.BigEndian.Uint32(head[28:])
	}
	return 0
}

// An owner is the program that created a database.
type owner int

const (
	unknownOwner owner = iota
	noOwner            // the database has no tables
	ours
	foreign
)

// owner returns the owner according to the first page.
func (p *pageFile) owner() owner {
	head := p.read(1)
	switch {
	case head == nil || string(head[:len(magic)]) != magic:
		return unknownOwner
	case binary.BigEndian.Uint32(head[68:]) == applicationID:
		return ours
	case head[headerSize] == pageTableLeaf && binary.BigEndian.Uint16(head[headerSize+3:]) == 0:
		return noOwner
	}
	return foreign
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
