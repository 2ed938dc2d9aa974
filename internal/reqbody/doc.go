// Package reqbody reads the bodies of HTTP requests within bounds.
//
// The HTTP server must stream bodies (fasthttp: StreamRequestBody, and DisablePreParseMultipartForm), so that a request that only
// announces a body allocates next to nothing. A Gate refuses by the headers alone what no handler would read. A handler that
// needs the body reads it with a Budget, after it has checked the credentials: the buffer grows as bytes arrive, up to a limit, and all
// buffers of a Budget together are bounded.
//
// No body is decompressed: one with a Content-Encoding is refused. Handlers must not call Body of fasthttp or Fiber, which have no
// such bounds.
package reqbody
