// Package faultnet simulates networks with faults.
//
// A Listener is one in memory: its connections have buffers and deadlines as sockets have, but no file
// descriptors, so they work inside a bubble of testing/synctest, where time passes while all goroutines wait. A Relay
// is one of real sockets: it stands between a client and a server on the loopback interface or elsewhere and
// copies bytes, whatever they are.
//
// Both give a Link for each connection, and a Link breaks it:
//
//	conn, link, err := network.Dial(ctx)
//	…
//	link.Reset()  // both ends lose the connection, at once and without a word
//	link.Freeze() // no data passes any more, and neither end gets an error
//
// The test that dials decides when, so that it can derive its faults from a seed.
package faultnet
