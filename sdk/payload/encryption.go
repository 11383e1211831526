package payload

import (
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	encodingAES = "binary/meterkey-aes256gcm"
	// metadataKey says which key encrypts a payload, metadataWorkflow which workflow it belongs to (absent if whoever
	// encoded it did not know). Both are authenticated.
	metadataKey      = "meterkey-key"
	metadataWorkflow = "meterkey-workflow"
)

// encryption binds each payload to its workflow, so that whoever can write to Temporal's database still cannot give one
// customer's payload to another's workflow. The SDK says which workflow it is working for, except where it does not know
// (a codec server, a history read event by event): there the payload's own word, authenticated, has to do.
type encryption struct {
	keys     Keys
	workflow string
}

func (e *encryption) WithSerializationContext(ctx converter.SerializationContext) converter.PayloadCodec {
	switch ctx := ctx.(type) {
	case converter.WorkflowSerializationContext:
		return &encryption{e.keys, ctx.WorkflowID}
	case converter.ActivitySerializationContext:
		return &encryption{e.keys, ctx.WorkflowID}
	}
	return e
}

func (e *encryption) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if len(e.keys) == 0 {
		return payloads, nil
	}
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if readable(p) {
			return p, nil
		}
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encrypting a payload: %w", err)
		}
		key := e.keys[0]
		//nolint:gosec // the nonce is random: cipher.NewGCMWithRandomNonce
		sealed := wrap(encodingAES, key.aead.Seal(nil, nil, plain, associated(key.ID, e.workflow)))
		sealed.Metadata[metadataKey] = []byte(key.ID)
		if e.workflow != "" {
			sealed.Metadata[metadataWorkflow] = []byte(e.workflow)
		}
		return sealed, nil
	})
}

func (e *encryption) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if encoding(p) != encodingAES {
			return p, nil
		}
		inner, err := e.open(p)
		if err != nil {
			return nil, fmt.Errorf("decrypting a payload: %w", err)
		}
		return inner, nil
	})
}

func (e *encryption) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	id, workflow := string(p.GetMetadata()[metadataKey]), string(p.GetMetadata()[metadataWorkflow])
	if e.workflow != "" && workflow != "" && e.workflow != workflow {
		return nil, fmt.Errorf("it belongs to workflow %q, not to %q", workflow, e.workflow)
	}
	key, err := e.keys.find(id)
	if err != nil {
		return nil, err
	}
	plain, err := key.aead.Open(nil, nil, p.GetData(), associated(id, workflow))
	if err != nil {
		return nil, errors.New("it was altered or cut short, or its key is not the one of that id")
	}
	return unwrap(plain)
}

// associated is what is authenticated beside the payload. No key id holds a space, so no two pairs look the same.
func associated(keyID, workflow string) []byte {
	return []byte(encodingAES + " " + keyID + " " + workflow)
}
