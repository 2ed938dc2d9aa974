package reqbody

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"
)

// DefaultLimit is how many bytes a body may have unless a route takes more.
const DefaultLimit = 64 << 10

// mark is a header that Received sets on requests whose bodies are refused, and its values. A client that sets it is refused as
// well.
const (
	mark       = "X-Bridge-Refused-Body"
	markLength = "length"
	markCoding = "coding"
	markBoth   = "both"
)

// A Gate refuses bodies by their headers. The zero value is ready for use. It may be used concurrently.
type Gate struct {
	// Larger returns how long a body may be on routes that take more than DefaultLimit; 0 on others. It keeps nothing of h.
	Larger func(h *fasthttp.RequestHeader) int
}

// limit returns how long the body of a request may be.
func (g *Gate) limit(h *fasthttp.RequestHeader) int {
	if g.Larger == nil {
		return DefaultLimit
	}
	return max(g.Larger(h), DefaultLimit)
}

// Received is for fasthttp.Server.HeaderReceived. A body that will be refused is not waited for: the request goes on without it, so
// that it is answered at once.
func (g *Gate) Received(h *fasthttp.RequestHeader) (none fasthttp.RequestConfig) {
	switch {
	case isCoded(h):
		h.Set(mark, markCoding)
	case hasTwoLengths(h):
		h.Set(mark, markBoth)
	case h.ContentLength() > g.limit(h):
		h.Set(mark, markLength)
	case h.Peek(mark) == nil:
		return none
	}
	h.Del(fasthttp.HeaderExpect)
	h.SetContentLength(0)
	return none
}

// hasTwoLengths tells whether a body has a Content-Length and comes in chunks, too. A proxy in front may go by
// the other one, and take the rest of the body for the next request (RFC 9112 section 6.1).
func hasTwoLengths(h *fasthttp.RequestHeader) bool {
	if h.ContentLength() != -1 {
		return false
	}
	raw, name := bytes.ToLower(h.RawHeaders()), []byte("content-length:") // fasthttp keeps only the one that it goes by
	return bytes.HasPrefix(raw, name) || bytes.Contains(raw, append([]byte{'\n'}, name...))
}

// isCoded tells whether a body is compressed, or coded in any other way.
func isCoded(h *fasthttp.RequestHeader) bool {
	for _, value := range h.PeekAll(fasthttp.HeaderContentEncoding) {
		for coding := range strings.SplitSeq(string(value), ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// Check is called before a request is routed. It returns an *Error if the request is refused because of its body. Only POST has a
// body here: that of another method is thrown away.
func (g *Gate) Check(ctx *fasthttp.RequestCtx) error {
	switch why := ctx.Request.Header.Peek(mark); {
	case why == nil:
	case string(why) == markCoding:
		abandon(ctx)
		return coded(ctx)
	case string(why) == markBoth:
		abandon(ctx)
		return errTwoLengths
	default:
		abandon(ctx)
		return tooLong(g.limit(&ctx.Request.Header))
	}
	if !ctx.IsPost() {
		Discard(ctx)
	}
	return nil
}

// coded refuses a coded body.
func coded(ctx *fasthttp.RequestCtx) error {
	ctx.Response.Header.Set(fasthttp.HeaderAcceptEncoding, "identity") // RFC 9110 section 15.5.16
	return errCoded
}

func tooLong(limit int) error {
	return &Error{fasthttp.StatusRequestEntityTooLarge, fmt.Sprintf("The body is too large: at most %d bytes are taken here.", limit)}
}

const (
	// prefetched is how many bytes of a body of known length fasthttp reads before it calls the handler.
	prefetched = 8 << 10
	// readWhole is a user value of a request: its body was read to its end.
	readWhole = "reqbody.whole"
)

// Discard throws away what was not read of the body. If something of it has not arrived yet, the connection closes after the answer:
// it would be taken for the next request. It is called after the handler.
func Discard(ctx *fasthttp.RequestCtx) {
	if !ctx.Request.IsBodyStream() {
		return
	}
	n := ctx.Request.Header.ContentLength()
	if (n < 0 || n > prefetched) && ctx.UserValue(readWhole) == nil {
		abandon(ctx)
	}
	ctx.Request.ResetBody()
}

// abandon makes the connection close after the answer, when the client has had time to read it.
func abandon(ctx *fasthttp.RequestCtx) {
	ctx.SetConnectionClose()
	if c, ok := ctx.Conn().(interface{ Linger() }); ok {
		c.Linger()
	}
}
