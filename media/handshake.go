package media

import (
	"encoding/base64"

	"github.com/gofiber/fiber/v2"
)

// keySize is the decoded length of a client's key (RFC 6455 section 4.1).
const keySize = 16

// badKey answers a handshake with an invalid key. The library accepts any text.
var badKey = &refusal{fiber.StatusBadRequest,
	"not a WebSocket handshake of RFC 6455: there must be one Sec-WebSocket-Key, and it must be 16 bytes in base64"}

// handshake makes the checks of an upgrade that the library omits.
func handshake(c *fiber.Ctx) *refusal {
	keys := c.Request().Header.PeekAll("Sec-WebSocket-Key")
	if len(keys) != 1 {
		return badKey
	}
	if key, err := base64.StdEncoding.DecodeString(string(keys[0])); err != nil || len(key) != keySize {
		return badKey
	}
	return nil
}
