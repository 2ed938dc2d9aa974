package journal

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

// A frame is a version of a page in the WAL.
type frame struct {
	page uint32
	at   int64 // offset of the page's bytes
}

// A walTail is the content of a WAL: the frames that SQLite reads, and those after the position where it stops.
type walTail struct {
	committed []frame // in the order of writing
	// beyond are complete transactions after a broken frame. In each piece, every frame continues the previous one.
	beyond []piece
}

// A piece is an unbroken part of a WAL, and the beginning of its first transaction before that.
type piece struct {
	frames  []frame
	commits int    // transactions that end in it
	pages   uint32 // size of the database after the last of them
}

const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // plus 1 if checksums use big-endian words
)

// readLog reads the frames of a WAL. The checksum of a frame continues that of the previous frame, so each frame can
// be verified with the checksum stored in the previous one, even if that one is broken.
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
	whole := before == computed // SQLite would read the frames up to here
	salt := string(head[16:24])
	var open []frame // since the last commit; intact frames of a broken transaction count
	var now piece    // since the last broken frame
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
			salt = string(b[8:16]) // the header is damaged
		}
		stated, sums := sumAt(b[16:]), [2]checksum{}
		for i, seed := range []checksum{before, computed} {
			sums[i] = sum(order, sum(order, seed, b[:8]), b[frameHeader:])
		}
		before, computed = stated, sums[0]
		page := binary.BigEndian.Uint32(b)
		older := string(b[8:16]) != salt // the frame is from a previous use of the file
		if sums[0] != stated && sums[1] != stated || page == 0 || older {
			whole = false
			end()
			continue
		}
		open = append(open, frame{page: page, at: at + frameHeader})
		pages := binary.BigEndian.Uint32(b[4:]) // not 0 at the end of a transaction
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

// lost returns the number of transactions after a broken frame that were certainly committed and are not in the
// database.
//
// A crash leaves such frames too, without damage. First, it can tear a transaction that was not synced and whose end
// is intact. That is one commit in a piece, because the next transaction is only written when the previous one is on
// the disk. Second, it can leave the frames of an old WAL after the start of a new one. All of those were
// checkpointed before, and the last piece has the last version of each of its pages.
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

// holdsOther reports whether a page in the database differs from its version in the piece.
func (p *pageFile) holdsOther(c piece) bool {
	for n, at := range c.newest() {
		if n > c.pages { // the file was truncated since
			continue
		}
		if logged := p.readAt(p.log, at); logged != nil && !bytes.Equal(logged, p.stored(n)) {
			return true
		}
	}
	return false
}

// newest returns the offset of the last version of each page.
func (c piece) newest() map[uint32]int64 {
	last := map[uint32]int64{}
	for _, f := range c.frames {
		last[f.page] = f.at
	}
	return last
}

// A checksum is SQLite's WAL checksum: two words.
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
