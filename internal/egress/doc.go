// Package egress says where this program may connect.
//
// There are two kinds of URL. The operator's come from flags, the environment and the configuration: they may lead to any
// network, because that is how everybody starts, but not to a cloud's metadata service. Anybody else's may be
// a stranger's try to have this machine ask its neighbors for him: they are https, and lead to public addresses only.
//
// A Guard looks at the address when a socket is about to connect, after every resolution. So it does not matter
// what name led there, how an address was spelled, or what the name meant a moment ago. What cannot be read is refused.
//
//	guard := egress.Guard{Own: listeners} // for strangers' URLs
//	client := guard.Client()
//	defer client.CloseIdleConnections()
//	…
//	u, err := guard.URL(text) // says what is wrong with it, before anything is done
//	resp, err := client.Do(req.WithContext(ctx))
//
// With a proxy it is the proxy whose address is seen here, and what the proxy connects to is the proxy's affair. A
// Guard takes none from the environment.
package egress
