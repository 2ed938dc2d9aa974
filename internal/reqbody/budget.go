package reqbody

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// DefaultTotal is how many bytes the buffers of a Budget may have together.
const DefaultTotal = 16 << 20

// A Budget reads bodies. Its buffers together are bounded; those of up to 8 KiB do not count, because the HTTP server has read as much
// already. So small bodies are taken also while others use up the budget. The zero value is ready for use. It may be used concurrently.
type Budget struct {
	Total int // bytes; 0 means DefaultTotal. It must not be changed after the first Read

	used    atomic.Int64
	refused atomic.Int64
}

// Stats are numbers for metrics.
type Stats struct {
	Used    int64 // bytes of buffers that are in use
	Refused int64 // bodies refused because too much was in use
}

// Stats returns how the budget is used.
func (b *Budget) Stats() Stats { return Stats{b.used.Load(), b.refused.Load()} }

// Read reads the body of a request, which may have at most limit bytes. The body is valid until done is called, which must be
// called in any case. Errors are of type *Error. It waits for the body as long as the connection's read deadline allows.
func (b *Budget) Read(ctx *fasthttp.RequestCtx, limit int) (body []byte, done func(), err error) {
	if isCoded(&ctx.Request.Header) {
		return nil, func() {}, coded(ctx)
	}
	if !ctx.Request.IsBodyStream() { // of a server that has read it already
		if body = ctx.Request.Body(); len(body) > limit {
			return nil, func() {}, tooLong(limit)
		}
		return body, func() {}, nil
	}
	r := reading{budget: b, from: ctx.RequestBodyStream(), length: ctx.Request.Header.ContentLength(), limit: limit}
	if err := r.all(); err != nil {
		r.done()
		return nil, func() {}, err
	}
	if r.length < 0 && ended(ctx) {
		r.done()
		return nil, func() {}, errIncomplete
	}
	ctx.SetUserValue(readWhole, true)
	return r.body, r.done, nil
}

// ended tells whether the client has ended the connection. fasthttp reports the end of the connection like the end of a body in
// chunks.
func ended(ctx *fasthttp.RequestCtx) bool {
	c, ok := ctx.Conn().(interface{ Ended() bool })
	return ok && c.Ended()
}

// A reading is one body on its way into memory.
type reading struct {
	budget *Budget
	from   io.Reader
	length int // as announced; less than 0 if it is not known
	limit  int
	body   []byte
	taken  int64 // from the budget
}

// all reads the body.
func (r *reading) all() error {
	if r.length > r.limit {
		return tooLong(r.limit)
	}
	for len(r.body) != r.length {
		if len(r.body) == cap(r.body) {
			if err := r.grow(); err != nil {
				return err
			}
		}
		n, err := r.from.Read(r.body[len(r.body):cap(r.body)])
		r.body = r.body[:len(r.body)+n]
		if len(r.body) > r.limit {
			return tooLong(r.limit)
		}
		if errors.Is(err, io.EOF) && (r.length < 0 || len(r.body) == r.length) {
			return nil
		}
		if err != nil {
			return broken(err)
		}
	}
	return nil
}

// grow makes the buffer larger, as far as the budget allows.
func (r *reading) grow() error {
	most := r.limit + 1 // one byte more shows that the body is too large
	if r.length >= 0 {
		most = r.length
	}
	size := min(max(2*cap(r.body), prefetched), most)
	more := int64(max(size, prefetched) - max(cap(r.body), prefetched))
	if !r.budget.take(more) {
		return errBusy
	}
	r.taken += more
	body := make([]byte, len(r.body), size)
	copy(body, r.body)
	r.body = body
	return nil
}

// done gives back what was taken.
func (r *reading) done() {
	r.budget.used.Add(-r.taken)
	r.taken = 0
}

// take takes bytes if there are as many.
func (b *Budget) take(n int64) bool {
	total := int64(b.Total)
	if total == 0 {
		total = DefaultTotal
	}
	if b.used.Add(n) > total && n > 0 {
		b.used.Add(-n)
		b.refused.Add(1)
		return false
	}
	return true
}
