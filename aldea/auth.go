package aldea

import (
	"net/http"
	"strconv"
	"sync"
)

// Auth is the form in which the key is sent in the handshake. Aldea's own pages disagree about which one
// is right, and a server may take only one.
type Auth int

// The forms of authentication.
const (
	// AuthSubprotocol sends Sec-WebSocket-Protocol: token, KEY. When it is refused with 401 or 403,
	// AuthBearer is tried once, and the form that worked is kept for the life of the Client.
	AuthSubprotocol Auth = iota
	// AuthBearer sends Authorization: Bearer KEY.
	AuthBearer
	// AuthToken sends Authorization: Token KEY.
	AuthToken
)

// String is the form's name: subprotocol, bearer or token.
func (a Auth) String() string {
	switch a {
	case AuthSubprotocol:
		return "subprotocol"
	case AuthBearer:
		return "bearer"
	case AuthToken:
		return "token"
	}
	return "Auth(" + strconv.Itoa(int(a)) + ")"
}

// ParseAuth is the inverse of String. The empty string is AuthSubprotocol.
func ParseAuth(s string) (Auth, error) {
	switch s {
	case "", "subprotocol":
		return AuthSubprotocol, nil
	case "bearer":
		return AuthBearer, nil
	case "token":
		return AuthToken, nil
	}
	return 0, fieldError("Auth", "%q is not subprotocol, bearer or token", s)
}

// apply adds the key to a handshake: to its header, or as the subprotocols it returns.
func (a Auth) apply(header http.Header, key Secret) (subprotocols []string) {
	switch a {
	case AuthBearer:
		header.Set("Authorization", "Bearer "+string(key))
	case AuthToken:
		header.Set("Authorization", "Token "+string(key))
	default:
		return []string{"token", string(key)}
	}
	return nil
}

// authMemory remembers for a Client which form of authentication the server takes.
type authMemory struct {
	mu      sync.Mutex
	form    Auth // what to try first
	settled bool // form has worked
}

// current is the form to try first.
func (m *authMemory) current() Auth {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.form
}

// accepted notes that the server took the key in this form.
func (m *authMemory) accepted(form Auth) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.form, m.settled = form, true
}

// refused returns the form to try after this one was refused, if there is any.
func (m *authMemory) refused(form Auth) (Auth, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return AuthBearer, form == AuthSubprotocol && !m.settled
}
