package flow

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

// TestEveryElementIsLookedFor requires each look at a page to look for whatever a file names: what is not looked for never shows.
func TestEveryElementIsLookedFor(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "full.yaml"))
	require.NoError(t, err)
	utility, err := utilities.ParseFile("site.yaml", text)
	require.NoError(t, err)
	elements, texts := lookedFor(&utility.Flow)
	for _, css := range []string{
		"#user", "#password", "#later", "input[name=way]", "#choose", "#code", "#answer", "#menu", "#menu a", "#pick", "tr", "#next", oneTimeCode,
	} {
		require.Contains(t, elements, utilities.Element{CSS: css})
	}
	require.Subset(t, texts, []string{"offer", "nothing", "no accounts"})
	known := map[utilities.Element]bool{}
	for _, e := range elements {
		require.False(t, known[e], "%s is looked for twice", e)
		known[e] = true
	}
}
