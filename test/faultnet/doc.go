// Package faultnet is a network that fails on purpose.
//
// A Listener is one in memory: its connections have buffers and deadlines as sockets have, but no file
// descriptors, so they work inside a bubble of testing/synctest, where time passes while everybody waits. A Relay
// is one of real sockets: it stands between a client and a server on the loopback interface or elsewhere and
// copies bytes, whatever they are.
//
// Both give a Link for each connection, and a Link breaks it:
//
//	conn, link, err := network.Dial(ctx)
//	…
//	link.Reset()  // both ends lose the connection, at once and without a word
//	link.Freeze() // nothing passes any more, and nobody is told
//
// Whoever dials decides when, so a test can let its faults come from a seed.
package faultnet
