package payload

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"
)

const (
	encodingZstd = "binary/meterkey-zstd"
	// compressFrom is how large a payload must be before compressing it is worth that neither the Web UI nor a backend in
	// another language can read it as it stands: some three hundred meters.
	compressFrom = 64 << 10
	// maxDecoded bounds what a small payload may grow to: far more than Temporal stores in one.
	maxDecoded = 64 << 20
)

type compression struct {
	to   *zstd.Encoder
	from *zstd.Decoder
}

func newCompression() *compression {
	// Only options can be wrong, and these are right.
	to, _ := zstd.NewWriter(nil)
	from, _ := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxDecoded))
	return &compression{to, from}
}

func (c *compression) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if len(p.GetData()) < compressFrom || readable(p) {
			return p, nil
		}
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("compressing a payload: %w", err)
		}
		if packed := c.to.EncodeAll(plain, nil); len(packed) < len(plain) {
			return wrap(encodingZstd, packed), nil
		}
		return p, nil
	})
}

func (c *compression) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if encoding(p) != encodingZstd {
			return p, nil
		}
		plain, err := c.from.DecodeAll(p.GetData(), nil)
		if err != nil {
			return nil, fmt.Errorf("decompressing a payload: %w", err)
		}
		inner, err := unwrap(plain)
		if err != nil {
			return nil, fmt.Errorf("decompressing a payload: %w", err)
		}
		return inner, nil
	})
}
