package controltest

import "net/http"

// An Account owns calls.
type Account struct {
	SID       string
	AuthToken string
	Keys      map[string]string // secrets of its API keys, by their SIDs
}

// admits says whether a request may use the account: Basic authentication by its SID and token, or by a key of it.
func (a Account) admits(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	if !ok || password == "" {
		return false
	}
	if user == a.SID {
		return password == a.AuthToken
	}
	return password == a.Keys[user]
}
