package payload

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// FailureConverter makes the failure converter that goes with New(keys): with keys, messages and stack traces of errors
// are encrypted too.
func FailureConverter(dc converter.DataConverter, keys Keys) converter.FailureConverter {
	return newFailures(dc, len(keys) > 0)
}

// failures is the SDK's failure converter, which by itself does not hand on which workflow it is working for.
type failures struct {
	converter.FailureConverter
	dc        converter.DataConverter
	encrypted bool
}

func newFailures(dc converter.DataConverter, encrypted bool) *failures {
	sdk := temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: dc, EncodeCommonAttributes: encrypted,
	})
	return &failures{sdk, dc, encrypted}
}

func (f *failures) WithSerializationContext(ctx converter.SerializationContext) converter.FailureConverter {
	return newFailures(converter.WithDataConverterSerializationContext(f.dc, ctx), f.encrypted)
}
