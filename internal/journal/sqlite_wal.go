package journal

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

// A frame is a version of a page in the log.
type frame struct {
	page uint32
	at   int64 // where the page's bytes are
}

// A walTail says what is in a log: what SQLite reads, and what lies behind the place where it stops.
type walTail struct {
	committed []frame // in the order of writing
	// beyond are whole transactions behind a broken frame, in pieces: in each, every frame continues the one before it.
	beyond []piece
}

// A piece is a part of a log in which nothing is broken, and the beginning of its first transaction before that.
type piece struct {
	frames  []frame
	commits int    // transactions that end in it
	pages   uint32 // of the database after the last of them
}

const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // with 1 added, the sums are of big-endian words
)

// readLog reads the frames of a log. A frame's sum continues that of the frame before, so each can be tested with what
// stands in the one before it, even if that one is broken.
func readLog(f io.ReaderAt, size int64) (tail walTail) {
	head := make([]byte, walHeader)
	if _, err := f.ReadAt(head, 0); err != nil {
		return tail
	}
	var order binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint32(head) == walMagic+1 {
		order = binary.BigEndian
	}
	before, computed := sumAt(head[24:]), sum(order, checksum{}, head[:24])
	whole := before == computed // as far as SQLite would read
	salt := string(head[16:24])
	var open []frame // since the last commit: what is whole of a transaction in which something is broken counts
	var now piece    // since the last break
	end := func() {
		if now.commits > 0 {
			tail.beyond = append(tail.beyond, now)
		}
		now = piece{}
	}
	b := make([]byte, frameHeader+pageSize)
	for at := int64(walHeader); at+int64(len(b)) <= size; at += int64(len(b)) {
		if _, err := f.ReadAt(b, at); err != nil {
			whole = false
			end()
			continue
		}
		if at == walHeader && !whole {
			salt = string(b[8:16]) // the header does not know any more
		}
		stated, sums := sumAt(b[16:]), [2]checksum{}
		for i, seed := range []checksum{before, computed} {
			sums[i] = sum(order, sum(order, seed, b[:8]), b[frameHeader:])
		}
		before, computed = stated, sums[0]
		page := binary.BigEndian.Uint32(b)
		older := string(b[8:16]) != salt // it is of a log that was in the file before
		if sums[0] != stated && sums[1] != stated || page == 0 || older {
			whole = false
			end()
			continue
		}
		open = append(open, frame{page: page, at: at + frameHeader})
		pages := binary.BigEndian.Uint32(b[4:]) // not 0 where a transaction ends
		if pages == 0 {
			continue
		}
		if whole {
			tail.committed = append(tail.committed, open...)
		} else {
			now.frames, now.pages = append(now.frames, open...), pages
			now.commits++
		}
		open = nil
	}
	end()
	return tail
}

// lost counts transactions behind a broken frame that were certainly committed and are not in the file.
//
// A crash leaves such frames too, and is not damage. It tears a transaction that was not synced, of which the end may
// be whole: that is one in a piece, because the next is written only when that one is on the disk. And it may leave the
// old log where a new one had just been begun over it: all of that was moved to the file before, and the last piece
// has the last version of each of its pages.
func (p *pageFile) lost() (transactions int) {
	for _, piece := range slices.Backward(p.tail.beyond) {
		if piece.commits > 1 {
			if p.holdsOther(piece) {
				return piece.commits
			}
			return 0
		}
	}
	return 0
}

// holdsOther says whether some page in the file is not as the piece of the log left it.
func (p *pageFile) holdsOther(c piece) bool {
	for n, at := range c.newest() {
		if n > c.pages { // the file was cut since
			continue
		}
		if logged := p.readAt(p.log, at); logged != nil && !bytes.Equal(logged, p.stored(n)) {
			return true
		}
	}
	return false
}

// newest is where the last version of each page is.
func (c piece) newest() map[uint32]int64 {
	last := map[uint32]int64{}
	for _, f := range c.frames {
		last[f.page] = f.at
	}
	return last
}

// A checksum is SQLite's, of two words.
type checksum [2]uint32

func sum(order binary.ByteOrder, c checksum, b []byte) checksum {
	for ; len(b) >= 8; b = b[8:] {
		c[0] += order.Uint32(b) + c[1]
		c[1] += order.Uint32(b[4:]) + c[0]
	}
	return c
}

func sumAt(b []byte) checksum {
	return checksum{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}
