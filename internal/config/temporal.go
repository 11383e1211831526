package config

import (
	"cmp"
	"context"
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sdk/payload"
)

// TemporalClient connects to Temporal as the SDK's profile and TEMPORAL_ variables say, with Meterkey's payloads and
// logger. The data converter is the client's. Close the client in the end.
func (c Config) TemporalClient(ctx context.Context, logger *zap.Logger, interceptors ...grpc.UnaryClientInterceptor) (client.Client, converter.DataConverter, error) {
	keys, err := payload.ReadKeys(c.PayloadKeysFile)
	if err != nil {
		return nil, nil, err
	}
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{EnvLookup: c.env})
	if err != nil {
		return nil, nil, fmt.Errorf("reading Temporal's settings: %w", err)
	}
	options, err := profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
	if err != nil {
		return nil, nil, fmt.Errorf("reading Temporal's settings: %w", err)
	}
	options.Logger = logging.Temporal(logger)
	options.DataConverter = payload.New(keys)
	options.FailureConverter = payload.FailureConverter(options.DataConverter, keys)
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(interceptors...))
	temporal, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to Temporal at %s, namespace %s: %w; is its server running? "+
			"Set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or TEMPORAL_PROFILE, to name another",
			cmp.Or(options.HostPort, client.DefaultHostPort), cmp.Or(options.Namespace, client.DefaultNamespace), err)
	}
	return temporal, options.DataConverter, nil
}
