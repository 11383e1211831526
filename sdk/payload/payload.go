// Package payload is how Meterkey's documents are stored in Temporal: compressed when they are large, encrypted when keys
// are configured.
//
// What does not hold our documents stays as it is, so that operators can read it in Temporal's Web UI: JSON strings,
// which are the summaries and details we write for them (and the SDK's stack traces), and the SDK's own protobuf
// documents, such as a workflow's current details. None of these may hold anything personal. Our messages, results and
// activity inputs are always JSON objects.
//
// Whatever arrives without our marks passes through unchanged: starters in other languages may send plain JSON, and
// histories from before a key was configured stay readable.
package payload

import (
	"bytes"
	"fmt"
	"net/http"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// New makes the data converter of every Temporal client and worker. Without keys it compresses only.
func New(keys Keys) converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codecs(keys)...)
}

// codecs are in the order of decoding. The SDK compares them, so they are pointers.
func codecs(keys Keys) []converter.PayloadCodec {
	return []converter.PayloadCodec{&encryption{keys: keys}, newCompression()}
}

// readable tells what operators are to read as it is.
func readable(p *commonpb.Payload) bool {
	switch encoding(p) {
	case converter.MetadataEncodingNil, converter.MetadataEncodingProtoJSON, converter.MetadataEncodingProto:
		return true
	}
	return encoding(p) == converter.MetadataEncodingJSON && bytes.HasPrefix(p.GetData(), []byte(`"`))
}

func encoding(p *commonpb.Payload) string { return string(p.GetMetadata()[converter.MetadataEncoding]) }

// wrap makes a payload that holds another one, metadata and all, as these bytes.
func wrap(kind string, data []byte) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(kind)}, Data: data}
}

func unwrap(data []byte) (*commonpb.Payload, error) {
	var inner commonpb.Payload
	if err := proto.Unmarshal(data, &inner); err != nil {
		return nil, fmt.Errorf("it holds no payload: %w", err)
	}
	return &inner, nil
}

// CodecServer decodes payloads for Temporal's Web UI at the given origin ("http://127.0.0.1:8233") and for its command
// line (--codec-endpoint). Whoever reaches it can read every payload: serve it on loopback, or behind a login.
func CodecServer(keys Keys, origin string) http.Handler {
	codec := http.MaxBytesHandler(converter.NewPayloadCodecHTTPHandler(codecs(keys)...), maxDecoded)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		codec.ServeHTTP(w, r)
	})
}

// each converts payloads one by one.
func each(payloads []*commonpb.Payload, convert func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	converted := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		var err error
		if converted[i], err = convert(p); err != nil {
			return nil, err
		}
	}
	return converted, nil
}
