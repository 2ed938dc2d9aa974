package aldea

import "crypto/tls"

// cheapTLS returns a copy of c, which may be nil, that spares work on both sides: further connections resume the session
// of an earlier one, where c has no cache of its own and does not refuse, and a message is one record from the first
// on. By itself crypto/tls begins a connection with records of one packet that grow, a system call each.
func cheapTLS(c *tls.Config) *tls.Config {
	if c = c.Clone(); c == nil {
		c = &tls.Config{}
	}
	if c.ClientSessionCache == nil {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	c.DynamicRecordSizingDisabled = true
	return c
}
