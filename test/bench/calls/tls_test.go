package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aldeabridge/codec"

	"github.com/gorilla/websocket"
)

// TestEarsBehindTLS calls twice with a client that trusts the certificate's file, and wants to be heard, answered,
// stamped, and resumed the second time.
func TestEarsBehindTLS(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recognizer.pem")
	if err := writeCertificate(file); err != nil {
		t.Fatal(err)
	}
	config, err := readCertificate(file)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(newEars(1)) // reads each at once
	srv.TLS = config
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	if b, err := os.ReadFile(file); err != nil || !roots.AppendCertsFromPEM(b) {
		t.Fatal("no certificate is in the file, ", err)
	}
	trusting := &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	before := time.Now().UnixNano()
	for _, call := range []int{7, 8} {
		sayName(t, websocket.Dialer{TLSClientConfig: trusting, WriteBufferSize: 64 << 10}, "wss"+srv.URL[len("https"):], call)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: trusting, DisableKeepAlives: true}}
	resp, err := client.Get(srv.URL + "/report")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var r recognizerReport
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Connections != 2 || r.Resumed != 1 {
		t.Errorf("%d connections, %d resumed, want 2 and 1", r.Connections, r.Resumed)
	}
	for _, call := range []int{7, 8} {
		heard := r.Arrivals[call]
		if len(heard) == 0 || heard[0].Until < digits*digitFrames*20 || heard[0].At < before || heard[0].At > time.Now().UnixNano() {
			t.Errorf("call %d arrived as %v, want %d ms and more, now", call, heard, digits*digitFrames*20)
		}
	}
}

// sayName sends the audio that names a call, and some more, and waits for the end of the answers.
func sayName(t *testing.T, dialer websocket.Dialer, url string, call int) {
	t.Helper()
	ws, resp, err := dialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	defer resp.Body.Close()
	x, err := codec.NewExpander(16000)
	if err != nil {
		t.Fatal(err)
	}
	v, pcm := newVoices(), []byte(nil)
	for n := range 2 * digits * digitFrames {
		mulaw, err := base64.StdEncoding.DecodeString(string(v.payload(call, n)))
		if err != nil {
			t.Fatal(err)
		}
		pcm = x.Append(pcm, mulaw)
	}
	if err := ws.WriteMessage(websocket.BinaryMessage, pcm); err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"CloseStream"}`)); err != nil {
		t.Fatal(err)
	}
	messages := 0
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) || messages == 0 {
				t.Fatalf("call %d: %d messages, then %v, want some and the end", call, messages, err)
			}
			return
		}
		messages++
	}
}
