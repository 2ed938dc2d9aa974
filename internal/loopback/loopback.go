// Package loopback recognizes programs on this machine: whether an address reaches this machine only, and whether an
// HTTP request comes directly from a program here.
//
// It is the one guard of everything that is served without a credential: the media streams and the HTTP API where
// none is configured, profiles, and the sandbox's control routes. It does no I/O and imports nothing else of this project.
package loopback

import (
	"net"
	"net/url"
	"strings"
)

// Host reports whether a host name or an IP address, with or without a port, is this machine's own by itself. A name
// that resolves to 127.0.0.1 does not count: that is how a web page gets around the browser's rules (DNS rebinding).
func Host(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// A Request is the part of an HTTP request that says where it comes from.
type Request struct {
	Peer   net.IP                     // address of the other end of the connection
	Host   string                     // the Host header
	Header func(name string) []string // all values of a header
}

// proxyHeaders are headers that only something between the peer and us adds to a request. With one of them, even an
// empty one, the peer's address says nothing about the client.
var proxyHeaders = []string{
	"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Host", "X-Original-For",
	"X-Forwarded", "X-Forwarded-By", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server",
	"X-Envoy-External-Address", "X-Amzn-Trace-Id", "Cdn-Loop", "Cf-Connecting-Ip", "Cf-Ray", "Fly-Client-Ip", "Fastly-Client-Ip", "True-Client-Ip",
}

// Stranger returns what shows that a request does not come directly from a program on this machine, or an empty string
// if nothing does. A web page counts as a program on this machine only if its own origin is the address asked for: then
// this server served it. A proxy on this machine that adds no header and asks for 127.0.0.1 cannot be distinguished from
// a program.
func (r Request) Stranger() string {
	if !r.Peer.IsLoopback() {
		return "this request comes from another machine"
	}
	for _, name := range proxyHeaders {
		if len(r.Header(name)) > 0 {
			return "this request has the header " + name
		}
	}
	if !Host(r.Host) {
		return "this request is for a host that is not localhost, 127.0.0.1 or [::1]"
	}
	if r.fromOtherPage() {
		return "this request comes from a web page of another origin"
	}
	return ""
}

// fromOtherPage reports whether a browser sends the request for a page of another origin. Browsers put the page's
// origin, or null, into every WebSocket handshake (RFC 6455 section 4.1) and every POST, and Sec-Fetch-Site into every
// request to this machine.
func (r Request) fromOtherPage() bool {
	for _, origin := range r.Header("Origin") {
		if origin == "null" || strings.Contains(origin, "://") && !r.isHostOf(origin) {
			return true
		}
	}
	for _, site := range r.Header("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" { // none: a person typed the address
			return true
		}
	}
	return false
}

// isHostOf reports whether an origin, such as http://127.0.0.1:8080, is the address that the request is for.
func (r Request) isHostOf(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
