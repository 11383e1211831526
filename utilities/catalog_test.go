package utilities

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEmbeddedFilesLoad(t *testing.T) {
	t.Parallel()
	c, err := Load("")
	require.NoError(t, err)
	require.Len(t, c.All(), 12)
}
