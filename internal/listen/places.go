package listen

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// patience is how long a new connection is safe from being closed for others: time to send its request.
const patience = 100 * time.Millisecond

// A reason says why a connection is closed to make room.
type reason string

const (
	reasonTotal       reason = "total"
	reasonAddress     reason = "address"
	reasonDescriptors reason = "descriptors"
)

// A victim is a connection that its caller must close. It does not count any more. conn is nil if there is none.
type victim struct {
	conn   *Conn
	reason reason
}

// places counts connections.
type places struct {
	total, perAddress int
	freed             chan struct{} // gets a value when a connection stops counting; capacity 1

	mu        sync.Mutex
	kept      int
	waiting   list.List                 // of *Conn, the one that has waited longest first
	byAddress map[netip.Addr]*list.List // the same connections, of each address
}

// A place is what a connection has in places, whose mutex guards it.
type place struct {
	address netip.Addr // whose connection it is; the zero Addr is not bounded
	since   time.Time  // when it began to wait
	kept    bool
	all     *list.Element // in places.waiting
	own     *list.Element // in places.byAddress[address]
}

// enter counts a new connection. Where there is no room, and every connection is younger than patience, it is not counted:
// the caller must wait so long, or for freed, and try again.
func (p *places) enter(c *Conn, now time.Time) (v victim, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept+p.waiting.Len() >= p.total {
		oldest := p.waiting.Front().Value.(*Conn) // there is one: at most half of the places are kept
		if wait = patience - now.Sub(oldest.since); wait > 0 {
			return victim{}, wait
		}
		v = p.take(oldest, reasonTotal)
	}
	p.wait(c, now)
	if v.conn == nil {
		v = p.crowd(c.address, now)
	}
	return v, 0
}

// crowd returns the connection of an address that must go because the address has too many.
func (p *places) crowd(address netip.Addr, now time.Time) victim {
	own := p.byAddress[address]
	if own == nil || own.Len() <= p.perAddress {
		return victim{}
	}
	if oldest := own.Front().Value.(*Conn); now.Sub(oldest.since) >= patience {
		return p.take(oldest, reasonAddress)
	}
	return victim{} // many at the same moment: calls that come back after a break. The total bounds them
}

// evict returns the connection that has waited longest.
func (p *places) evict(now time.Time) victim {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.Len() == 0 {
		return victim{}
	}
	oldest := p.waiting.Front().Value.(*Conn)
	if now.Sub(oldest.since) < patience {
		return victim{}
	}
	return p.take(oldest, reasonDescriptors)
}

// wait makes a connection the youngest of those that wait.
func (p *places) wait(c *Conn, now time.Time) {
	c.since = now
	c.all = p.waiting.PushBack(c)
	if !c.address.IsValid() {
		return
	}
	if p.byAddress == nil {
		p.byAddress = make(map[netip.Addr]*list.List)
	}
	own := p.byAddress[c.address]
	if own == nil {
		own = list.New()
		p.byAddress[c.address] = own
	}
	c.own = own.PushBack(c)
}

// remove takes a connection out of those that wait. It answers false if it does not wait.
func (p *places) remove(c *Conn) bool {
	if c.all == nil {
		return false
	}
	p.waiting.Remove(c.all)
	if c.own != nil {
		own := p.byAddress[c.address]
		if own.Remove(c.own); own.Len() == 0 {
			delete(p.byAddress, c.address)
		}
	}
	c.all, c.own = nil, nil
	return true
}

func (p *places) take(c *Conn, why reason) victim {
	p.remove(c)
	return victim{c, why}
}

// restart makes a connection wait anew, for an address. One that does not count stays so.
func (p *places) restart(c *Conn, address netip.Addr, now time.Time) victim {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case c.kept:
		c.kept = false
		p.kept--
	case !p.remove(c):
		return victim{}
	}
	c.address = address
	p.wait(c, now)
	return p.crowd(address, now)
}

// keep protects a connection that waits. It answers false if half of all places are kept already: the rest is for new ones.
func (p *places) keep(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.kept {
		return true
	}
	if p.kept >= p.total/2 || !p.remove(c) {
		return false
	}
	c.kept = true
	p.kept++
	return true
}

// leave stops counting a connection.
func (p *places) leave(c *Conn) {
	p.mu.Lock()
	left := p.remove(c)
	if c.kept {
		c.kept, left = false, true
		p.kept--
	}
	p.mu.Unlock()
	if !left {
		return
	}
	select {
	case p.freed <- struct{}{}:
	default:
	}
}

// counts returns how many connections count, and how many of them are kept.
func (p *places) counts() (open, kept int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept + p.waiting.Len(), p.kept
}
