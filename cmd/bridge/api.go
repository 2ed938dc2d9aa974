package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"aldeabridge/internal/api/client"
)

// apiOptions say which bridge a command asks.
type apiOptions struct {
	URL    string `name:"url" env:"BRIDGE_URL" placeholder:"URL" help:"Where the bridge is (that of BRIDGE_LISTEN on this machine)."`
	Listen string `env:"BRIDGE_LISTEN" default:"127.0.0.1:8080" hidden:""`
}

// client returns a client of the bridge. Its token is BRIDGE_API_TOKEN, the first where there are several.
func (o *apiOptions) client() (*client.Client, error) {
	address, err := bridgeURL("BRIDGE_URL", o.URL, o.Listen)
	if err != nil {
		return nil, err
	}
	tokens, err := secretList("BRIDGE_API_TOKEN")
	if err != nil {
		return nil, err
	}
	c := &client.Client{URL: address}
	if len(tokens) > 0 {
		c.Token = tokens[0]
	}
	return c, nil
}

// bridgeURL is address, or if that is empty, where a program on this machine reaches a listener at HOST:PORT. name is
// where address was given.
func bridgeURL(name, address, listen string) (string, error) {
	if address == "" {
		return localURL(listen)
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%s: %q is not like http://127.0.0.1:8080", name, address)
	}
	return address, nil
}

// localURL is where a program on this machine reaches a listener at HOST:PORT.
func localURL(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("BRIDGE_LISTEN: %q is not HOST:PORT", listen)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// explain says what to do about an error of the API. Other errors stay as they are.
func explain(err error) error {
	var from *client.Error
	if !errors.As(err, &from) || errors.Is(err, context.Canceled) {
		return err
	}
	var p *client.Problem
	text := strings.NewReplacer(client.ErrNotBridge.Error()+": ", "", "client: ", "",
		"GET /v1/calls lists", "`bridge calls` lists", "GET /v1/deliveries lists", "`bridge deliveries` lists").Replace(err.Error())
	switch isProblem := errors.As(err, &p); {
	case errors.Is(err, client.ErrUnreachable):
		text = fmt.Sprintf("no bridge answers at %s: is `bridge` running? BRIDGE_URL says where it is", from.URL)
	case isProblem && p.Status == http.StatusUnauthorized:
		what := "needs a token: set BRIDGE_API_TOKEN"
		if tokens, _ := secretList("BRIDGE_API_TOKEN"); len(tokens) > 0 {
			what = "does not know this token: BRIDGE_API_TOKEN is wrong"
		}
		text = from.URL + " " + what
	case isProblem && p.Status == http.StatusNotFound && strings.HasPrefix(p.Detail, "Cannot "): // there is no API under /v1
		text = fmt.Sprintf("there is no API at %s: BRIDGE_URL is the bridge's own address, such as http://127.0.0.1:8080", from.URL)
	case !isProblem && !errors.Is(err, client.ErrNotBridge):
		text = fmt.Sprintf("asking %s: %s", from.URL, text)
	case errors.Is(err, client.ErrNotBridge):
		text = fmt.Sprintf("what answers at %s is not a bridge, or one without this function (%s)", from.URL, text)
	}
	return errors.New(printable(text))
}
