package tools_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Chromium unpacked by make-believe packages: what is really in them is apt's business.
func TestUnpackMakesABrowserOfItsPackages(t *testing.T) {
	t.Parallel()
	fake, err := filepath.Abs("testdata/debian")
	require.NoError(t, err)
	folder := filepath.Join(t.TempDir(), "A & B", "chromium")
	out, status := run(t, []string{"PATH=" + fake + ":" + os.Getenv("PATH")}, "./unpack.sh", folder)
	require.Zero(t, status, out)
	require.Contains(t, out, "install --download-only --no-install-recommends chromium-headless-shell")

	browser := exec.CommandContext(t.Context(), filepath.Join(folder, "chromium"), "--flag", "two words")
	said, err := browser.Output()
	require.NoError(t, err)
	require.Contains(t, string(said), "arguments --flag,two words\n")
	require.Contains(t, string(said), fmt.Sprintf("process %d\n", browser.ProcessState.Pid()), "who ends the program ends the browser")
	require.Contains(t, string(said), "libraries "+folder+"/root/usr/lib/here:"+folder+"/root/usr/lib/here/deeper\n")
	fonts, err := os.ReadFile(filepath.Join(folder, "fonts.conf"))
	require.NoError(t, err)
	require.Contains(t, string(fonts), "/A &amp; B/chromium/root/usr/share/fonts</dir>")
	require.NoDirExists(t, filepath.Join(folder, "apt"))
}
