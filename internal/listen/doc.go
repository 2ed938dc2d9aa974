// Package listen accepts connections from the internet without letting them use up the process.
//
// A Listener wraps a net.Listener. Its Accept goes on when the operating system has no descriptor or memory for a
// connection, and the connections it returns are bounded in number: in total, and for each client address. A new connection
// always gets in. When there are too many, the one that has waited longest for its request is closed.
//
// A connection is in one of three states. It waits from its acceptance on: for a request, or inside of a request whose sender is not
// known yet. Keep protects it while a request is served whose sender has shown that he may ask. Leave takes it out of the
// count, because it is bounded elsewhere: a media stream. Idle makes a kept connection wait again.
//
// The address that counts is that of the peer, or behind a trusted proxy the one that the proxy forwards. An IPv6 address
// stands for its /64 network.
package listen
