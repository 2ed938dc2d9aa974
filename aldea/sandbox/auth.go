package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// credentials finds the API key of a request, and the scheme to echo as subprotocol if the key came that way.
// Accepted are Sec-WebSocket-Protocol "token, KEY" or "bearer, KEY" (what browsers can send) and Authorization
// "Bearer KEY" or "Token KEY".
func credentials(h http.Header) (key, subprotocol string) {
	var offered []string
	for _, line := range h.Values("Sec-WebSocket-Protocol") {
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.TrimSpace(part); part != "" {
				offered = append(offered, part)
			}
		}
	}
	for i, name := range offered {
		if scheme := strings.ToLower(name); scheme == "token" || scheme == "bearer" {
			subprotocol = name
			if i+1 < len(offered) {
				key = offered[i+1]
			}
			break
		}
	}
	if key != "" {
		return key, subprotocol
	}
	scheme, rest, _ := strings.Cut(h.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token") {
		key = strings.TrimSpace(rest)
	}
	return key, subprotocol
}

// allowed reports whether the key opens the door.
func (o *Options) allowed(key string) bool {
	if key == "" {
		return false
	}
	if len(o.Keys) == 0 {
		return o.Lenient || o.Profile == ProfileDeepgram || strings.HasPrefix(key, "org_") && len(key) > len("org_")
	}
	ok := 0
	for _, k := range o.Keys {
		ok |= subtle.ConstantTimeCompare([]byte(k), []byte(key))
	}
	return ok == 1
}

// keyHash names a key without telling it: equal keys have equal hashes.
func keyHash(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:6])
}

// redacted copies handshake headers with every secret replaced by its hash.
func redacted(h http.Header, key string) http.Header {
	c := h.Clone()
	c.Del("Cookie")
	if key == "" {
		return c
	}
	for _, name := range []string{"Authorization", "Sec-Websocket-Protocol"} {
		for i, v := range c[name] {
			c[name][i] = strings.ReplaceAll(v, key, keyHash(key))
		}
	}
	return c
}
