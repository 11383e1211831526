package config_test

import (
	"context"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

type environment map[string]string

func (e environment) LookupEnv(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func (e environment) Environ() []string {
	var all []string
	for name, value := range e {
		all = append(all, name+"="+value)
	}
	return all
}

func TestTemporalClient(t *testing.T) {
	server, err := devenv.StartTemporal(t.Context(), devenv.TemporalOptions{Address: "127.0.0.1:0", Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })

	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, []byte("a "+base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600))
	profiles := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(profiles, []byte("[profile.here]\naddress = \""+server.Address()+"\"\n"), 0o600))
	for name, env := range map[string]environment{
		"by address": {"TEMPORAL_ADDRESS": server.Address(), "TEMPORAL_NAMESPACE": "default"},
		"by profile": {"TEMPORAL_CONFIG_FILE": profiles, "TEMPORAL_PROFILE": "here"},
	} {
		t.Run(name, func(t *testing.T) {
			env["MK_PAYLOAD_KEYS"] = keys
			c, err := config.Load(env)
			require.NoError(t, err)
			temporal, dc, err := c.TemporalClient(t.Context(), zap.NewNop())
			require.NoError(t, err)
			defer temporal.Close()
			_, err = temporal.WorkflowService().ListNamespaces(t.Context(), &workflowservice.ListNamespacesRequest{PageSize: 1})
			require.NoError(t, err)
			p, err := dc.ToPayload([]int{1})
			require.NoError(t, err)
			require.Equal(t, "a", string(p.GetMetadata()["meterkey-key"]), "the converter encrypts with the keys")
		})
	}
}

func TestTemporalClientThatCannotConnect(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	address := listener.Addr().String()
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for name, c := range map[string]struct {
		env  environment
		says []string
	}{
		"no server":  {environment{"TEMPORAL_ADDRESS": address}, []string{address + ", namespace default", "is its server running? Set TEMPORAL_ADDRESS"}},
		"no profile": {environment{"TEMPORAL_CONFIG_FILE": empty, "TEMPORAL_PROFILE": "absent"}, []string{"reading Temporal's settings", "absent"}},
		"no TLS certificate": {environment{"TEMPORAL_TLS_CLIENT_CERT_PATH": empty, "TEMPORAL_TLS_CLIENT_KEY_PATH": empty},
			[]string{"reading Temporal's settings", "TLS"}},
		"no keys": {environment{"MK_PAYLOAD_KEYS": empty}, []string{"reading payload keys", "holds no key"}},
	} {
		t.Run(name, func(t *testing.T) {
			settings, err := config.Load(c.env)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _, err = settings.TemporalClient(ctx, zap.NewNop())
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
}
