package reqbody

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"aldeabridge/internal/listen"
)

const (
	testLimit  = 100 << 10 // what the handler takes of /large
	testLarger = 200 << 10 // what the gate lets pass to /large
)

// serve starts a server that answers each request with what Budget.Read returned, and returns how to connect to it.
func serve(t *testing.T, budget *Budget) func() net.Conn {
	t.Helper()
	gate := &Gate{Larger: func(h *fasthttp.RequestHeader) int {
		if string(h.RequestURI()) == "/large" {
			return testLarger
		}
		return 0
	}}
	server := &fasthttp.Server{
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		MaxRequestBodySize:           DefaultLimit,
		HeaderReceived:               gate.Received,
		ReadTimeout:                  time.Minute,
		Handler: func(ctx *fasthttp.RequestCtx) {
			defer Discard(ctx)
			answer(ctx, func() error {
				if err := gate.Check(ctx); err != nil {
					return err
				}
				if string(ctx.Path()) == "/ignore" {
					ctx.SetBodyString("ignored")
					return nil
				}
				body, done, err := budget.Read(ctx, testLimit)
				defer done()
				ctx.SetBodyString(fmt.Sprintf("%d %d", len(body), bytes.Count(body, []byte("x"))))
				return err
			}())
		},
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := listen.New(inner, listen.Config{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

func answer(ctx *fasthttp.RequestCtx, err error) {
	var e *Error
	if errors.As(err, &e) {
		ctx.SetStatusCode(e.Status)
		ctx.SetBodyString(e.Detail)
	}
}

// ask sends a request and reads the answer.
func ask(t *testing.T, c net.Conn, request string) (status int, body string, closes bool) {
	t.Helper()
	go func() { _, _ = io.WriteString(c, request) }() // the server may close before it has read all
	return read(t, bufio.NewReader(c))
}

func read(t *testing.T, r *bufio.Reader) (status int, body string, closes bool) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Close
}

func post(path string, length int, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n", path, length, strings.Join(headers, ""))
}

func chunk(n int) string { return fmt.Sprintf("%x\r\n%s\r\n", n, strings.Repeat("x", n)) }

const chunked = "POST /large HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

func TestBodiesAreReadUpToTheLimit(t *testing.T) {
	dial := serve(t, &Budget{})
	xs := func(n int) string { return strings.Repeat("x", n) }
	whole := func(n int) string { return fmt.Sprintf("%d %d", n, n) }
	for name, c := range map[string]struct {
		request string
		status  int
		body    string // what the answer begins with
		closes  bool
	}{
		"no body":                           {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, whole(0), false},
		"an empty body":                     {post("/", 0), 200, whole(0), false},
		"a short body":                      {post("/", 5) + xs(5), 200, whole(5), false},
		"as much as is prefetched":          {post("/", prefetched) + xs(prefetched), 200, whole(prefetched), false},
		"one byte more":                     {post("/", prefetched+1) + xs(prefetched+1), 200, whole(prefetched + 1), false},
		"the default limit":                 {post("/", DefaultLimit) + xs(DefaultLimit), 200, whole(DefaultLimit), false},
		"more than the default limit":       {post("/", DefaultLimit+1), 413, "The body is too large: at most 65536 ", true},
		"the limit of the handler":          {post("/large", testLimit) + xs(testLimit), 200, whole(testLimit), false},
		"more than the handler's limit":     {post("/large", testLimit+1) + xs(testLimit), 413, "The body is too large: at most 102400 ", true},
		"more than the route's limit":       {post("/large", testLarger+1), 413, "The body is too large: at most 204800 ", true},
		"two gigabytes":                     {post("/large", 2<<30), 413, "The body is too large", true},
		"chunks":                            {chunked + chunk(3) + chunk(9000) + chunk(70000) + "0\r\n\r\n", 200, whole(79003), false},
		"chunks up to the limit":            {chunked + chunk(testLimit) + "0\r\n\r\n", 200, whole(testLimit), false},
		"chunks beyond the limit":           {chunked + chunk(testLimit) + chunk(1), 413, "The body is too large", true},
		"a chunk that announces a gigabyte": {chunked + "40000000\r\n" + xs(testLimit+1), 413, "The body is too large", true},
		"no chunk":                          {chunked + "zz\r\n", 400, "The body ended before", true},
		"100-continue, too long":            {post("/", 1<<20, "Expect: 100-continue\r\n"), 413, "The body is too large", true},
		"gzip":                              {post("/", 5, "Content-Encoding: gzip\r\n") + xs(5), 415, "The body has a Content-Encoding", true},
		"gzip that is not sent":             {post("/", 60000, "Content-Encoding: gzip\r\n"), 415, "The body has a Content-Encoding", true},
		"deflate in chunks":                 {chunked[:len(chunked)-2] + "content-encoding: deflate\r\n\r\n", 415, "The body has a", true},
		"several codings":                   {post("/", 5, "Content-Encoding: identity\r\n", "Content-Encoding: , br\r\n") + xs(5), 415, "The body has a", true},
		"a coding of no body":               {"GET / HTTP/1.1\r\nHost: a\r\nContent-Encoding: zstd\r\n\r\n", 415, "The body has a", true},
		"a length and chunks":               {chunked[:len(chunked)-2] + "CONTENT-LENGTH: 3\r\n\r\n" + chunk(3) + "0\r\n\r\n", 400, "The request has both", true},
		"a length first, and chunks":        {"POST /large HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(3) + "0\r\n\r\n", 400, "The request has both", true},
		"another length and chunks":         {chunked[:len(chunked)-2] + "X-Original-Content-Length: 3\r\n\r\n" + chunk(3) + "0\r\n\r\n", 200, whole(3), false},
		"identity":                          {post("/", 5, "Content-Encoding: Identity\r\n") + xs(5), 200, whole(5), false},
		"the mark of the gate":              {post("/", 5, mark+": nonsense\r\n") + xs(5), 413, "The body is too large", true},
		"a form with files":                 {post("/", 6, "Content-Type: multipart/form-data; boundary=a\r\n") + "--a--x", 200, "6 1", false},
		"an ignored body":                   {post("/ignore", 5) + xs(5), 200, "ignored", false},
		"an ignored long body":              {post("/ignore", 60000) + xs(9000), 200, "ignored", true},
		"the long body of a GET":            {"GET" + post("/ignore", 60000)[4:] + xs(9000), 200, "ignored", true},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial()
			status, body, closes := ask(t, conn, c.request)
			if status != c.status || !strings.HasPrefix(body, c.body) || closes != c.closes {
				t.Errorf("got %d %q, closes %v; want %d %q…, %v", status, body, closes, c.status, c.body, c.closes)
			}
			if closes {
				return
			}
			if status, body, _ := ask(t, conn, post("/", 1)+"x"); status != 200 || body != whole(1) {
				t.Errorf("the next request got %d %q: the body was not taken off the connection", status, body)
			}
		})
	}
}

func TestExpectIsAnsweredWithContinue(t *testing.T) {
	c := serve(t, &Budget{})()
	r := bufio.NewReader(c)
	if _, err := io.WriteString(c, post("/", 10, "Expect: 100-continue\r\n")); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := read(t, r); status != 100 {
		t.Fatalf("got %d, want 100", status)
	}
	if _, err := io.WriteString(c, "xxxxxxxxxx"); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := read(t, r); status != 200 || body != "10 10" {
		t.Errorf("got %d %q, want the body", status, body)
	}
}

func TestABodyThatEndsEarlyIsRefused(t *testing.T) {
	dial := serve(t, &Budget{})
	for name, request := range map[string]string{
		"of known length": post("/", 60000) + strings.Repeat("x", 59999),
		"in chunks":       chunked + chunk(10),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial()
			r := bufio.NewReader(c)
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if status, body, _ := read(t, r); status != 400 {
				t.Errorf("got %d %q, want 400", status, body)
			}
		})
	}
}

// A slowBody delivers xs, and the last of them when it is allowed to.
type slowBody struct {
	left    int
	arrived chan struct{} // closed when all but one was read
	last    chan struct{}
}

func newSlowBody(n int) *slowBody {
	return &slowBody{left: n, arrived: make(chan struct{}), last: make(chan struct{})}
}

func (s *slowBody) Read(p []byte) (int, error) {
	if s.left == 1 {
		close(s.arrived)
		<-s.last
	}
	n := copy(p, strings.Repeat("x", min(max(s.left-1, 1), 1000)))
	if s.left -= n; s.left == 0 {
		return n, io.EOF
	}
	return n, nil
}

// All bodies on their way together are bounded; short ones do not need the budget.
func TestBodiesTogetherAreBounded(t *testing.T) {
	const each = DefaultLimit - prefetched
	budget := &Budget{Total: 3*each + 100}
	read := func(from io.Reader, length int) (int, error) {
		r := reading{budget: budget, from: from, length: length, limit: DefaultLimit}
		defer r.done()
		err := r.all()
		return len(r.body), err
	}
	var slow []*slowBody
	results := make(chan error)
	for range 3 {
		s := newSlowBody(DefaultLimit)
		go func() {
			n, err := read(s, DefaultLimit)
			if n != DefaultLimit {
				err = errors.Join(err, fmt.Errorf("got %d bytes", n))
			}
			results <- err
		}()
		<-s.arrived
		slow = append(slow, s)
	}
	if used := budget.Stats().Used; used != 3*each {
		t.Errorf("%d bytes are in use, want %d", used, 3*each)
	}
	for _, length := range []int{DefaultLimit, -1} {
		if n, err := read(strings.NewReader(strings.Repeat("x", DefaultLimit)), length); !errors.Is(err, errBusy) || n > prefetched {
			t.Errorf("length %d: got %d bytes and %v, want no more than %d and errBusy", length, n, err, prefetched)
		}
		if n, err := read(strings.NewReader(strings.Repeat("x", prefetched)), min(length, prefetched)); err != nil && length > 0 || n != prefetched {
			t.Errorf("length %d: got %d bytes and %v, want a short body to be read", length, n, err)
		}
	}
	for _, s := range slow {
		close(s.last)
		if err := <-results; err != nil {
			t.Errorf("a body that was on its way: %v", err)
		}
	}
	if got := budget.Stats(); got.Used != 0 || got.Refused != 3 {
		t.Errorf("got %+v, want nothing in use and three refused", got)
	}
}

// What a client announces costs nothing; only what it sends does.
func TestAnAnnouncedBodyAllocatesLittle(t *testing.T) {
	const conns = 50
	dial := serve(t, &Budget{})
	ask(t, dial(), post("/", 1)+"x")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range conns {
		if _, err := io.WriteString(dial(), post("/large", testLarger)); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, dial(), post("/", 1)+"x") // and the server has seen the others
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / conns; each > 40<<10 {
		t.Errorf("a connection that announces a body costs %d bytes, want less than 40 KiB", each)
	}
}
