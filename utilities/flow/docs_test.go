package flow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// TestWorkedExample follows the file that docs/utilities.md writes, as it stands there, through the site it was written for.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "utilities.md"))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(doc), "```yaml\n")
	require.True(t, found)
	text, _, found := strings.Cut(after, "```\n")
	require.True(t, found)

	u, err := utilities.ParseFile("library.yaml", []byte(text))
	require.NoError(t, err)
	require.Equal(t, "LIBRARY", u.ID)
	u.Flow.Settle = 600 * time.Millisecond
	tr := fixtureOf(t, u, filepath.Join("testdata", "library"))

	seen, err := tr.SignIn(t.Context(), meterkey.Credentials{Username: "C-7", Password: "123"})
	tr.saw(seen, err, utilities.RejectedLogin)
	seen = tr.signIn(utilities.CodeForm)
	require.Equal(t, "p**@mail.example", seen.Challenge.SentTo)
	tr.submit("314159", utilities.RejectedCode)
	tr.submit("271828", utilities.SignedIn)
	require.Equal(t, []meterkey.Meter{
		{AccountNumber: "C-7", MeterNumber: "B-100", ServiceAddress: "Main Street 1, Fairmont", Status: "on loan"},
		{AccountNumber: "C-7", MeterNumber: "B-200", ServiceAddress: "Mill Lane 2, Fairmont", Status: "overdue"},
		{AccountNumber: "C-7", MeterNumber: "B-300", ServiceAddress: "Main Street 1, Fairmont", Status: "on loan"},
	}, tr.read())

	_, err = utilities.ParseFile("library.yaml", []byte(strings.Replace(text, "visible: .wrong", "visble: .wrong", 1)))
	require.Error(t, err)
	require.Contains(t, string(doc), err.Error(), "the mistake shown is the one that is made")
}
