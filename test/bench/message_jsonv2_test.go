//go:build goexperiment.jsonv2

package bench

import (
	"encoding/json/v2"
	"testing"
)

// BenchmarkMessageV2 is the route of encoding/json/v2.
func BenchmarkMessageV2(b *testing.B) {
	parse(b, func() (int, error) {
		var m message
		err := json.Unmarshal(mediaMessage, &m)
		return len(m.Media.Payload), err
	})
}
