package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// sendBackup answers GET /v1/backup. There is one at a time: each needs as much disk as the journal.
func (a *API) sendBackup(_ context.Context, c *fiber.Ctx, _ *query) error {
	describe := func() {
		c.Set(fiber.HeaderContentType, "application/vnd.sqlite3")
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="bridge-`+time.Now().UTC().Format("20060102T150405Z")+`.db"`)
	}
	if c.Method() == fiber.MethodHead {
		describe()
		return nil
	}
	if !a.backup.TryLock() {
		c.Set(fiber.HeaderRetryAfter, "60")
		return refuse(fiber.StatusServiceUnavailable, "Another backup is being made or fetched: try again when it is done.")
	}
	file, size, err := a.config.Journal.Backup(a.ctx)
	if err != nil {
		a.backup.Unlock()
		if errors.Is(err, ErrDisk) {
			return fmt.Errorf("%w: %w", errNoRoom, err)
		}
		return err
	}
	describe()
	return c.SendStream(&download{ctx: a.ctx, conn: c.Context().Conn(), file: file, done: sync.OnceFunc(a.backup.Unlock)}, int(size))
}

// errNoRoom means that the copy of a backup does not fit.
var errNoRoom = errors.New("api: no room for a backup")

// A download is a file on its way to a client. fasthttp sets one write deadline for the whole answer; here each
// piece has its own.
type download struct {
	ctx  context.Context
	conn net.Conn
	file io.ReadCloser
	done func()
}

// Read reads the next piece, which is sent when it returns.
func (d *download) Read(p []byte) (int, error) {
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	if err := d.conn.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return 0, err
	}
	return d.file.Read(p)
}

// Close is called by fasthttp at the end.
func (d *download) Close() error {
	defer d.done()
	return d.file.Close()
}
