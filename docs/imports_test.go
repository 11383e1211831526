package docs_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module     = "github.com/meterkey/meterkey"
	playwright = "github.com/playwright-community/playwright-go"
	temporal   = "go.temporal.io/..."
)

// room says of a package, or with /... of a folder of them, which packages of ours may come with it and which others must not.
type room struct {
	name  string
	ours  []string
	never []string
}

// rooms hold what comes with what, however indirectly; the linter holds what each file imports.
var rooms = []room{
	{name: ".", never: []string{temporal, playwright, "net/http", "database/sql"}},
	{name: "sdk", ours: []string{"."}, never: []string{playwright, "database/sql"}},
	{name: "workflows", ours: []string{"."}, never: []string{playwright, "database/sql"}},
	{name: "utilities", ours: []string{"."}, never: []string{temporal, playwright, "net/http", "database/sql"}},
	{name: "utilities/flow", ours: []string{".", "utilities"}, never: []string{temporal, "database/sql"}},
	{name: "internal/...", ours: []string{".", "sdk/payload", "internal/..."}},
	{name: "internal/browser", ours: []string{"internal/..."}, never: []string{temporal, "database/sql"}},
	{name: "activities", ours: []string{".", "workflows", "utilities/...", "internal/..."}},
	{name: "worker", ours: []string{".", "sdk/...", "workflows", "activities", "utilities/...", "internal/..."}},
	{name: "starter", ours: []string{".", "sdk/...", "workflows", "utilities", "internal/..."}, never: []string{playwright, "database/sql"}},
	{name: "portal/...", ours: []string{".", "sdk/...", "workflows", "utilities", "portal/...", "internal/..."}, never: []string{playwright}},
	{name: "sandbox", ours: []string{"sandbox/practice", "internal/cmdline"}, never: []string{temporal, playwright, "database/sql"}},
	{name: "sandbox/practice", never: []string{temporal, playwright, "database/sql"}},
	{name: "sandbox/devenv", ours: []string{".", "sdk/...", "sandbox/practice", "internal/..."}},
	{name: "sandbox/testenv", ours: []string{".", "sdk/...", "sandbox/...", "internal/..."}},
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	packages := listed(t, "Deps")
	for _, r := range rooms {
		found := false
		for name, deps := range packages {
			if !within(name, r.name) {
				continue
			}
			found = true
			for _, dep := range deps {
				require.False(t, r.forbids(name, dep), "%s links %s", name, dep)
			}
		}
		require.True(t, found, "there is no %s", r.name)
	}
}

// listed are our packages by their names within the module, each with what it imports (Imports) or all that comes with it
// (Deps), tests aside.
func listed(t *testing.T, what string) map[string][]string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}} {{join ."+what+` " "}}`, module+"/...").Output()
	require.NoError(t, err)
	packages := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		names := strings.Fields(line)
		packages[inModule(names[0])] = names[1:]
	}
	return packages
}

func (r room) forbids(name, dep string) bool {
	for _, never := range r.never {
		if within(dep, never) {
			return true
		}
	}
	if dep != module && !strings.HasPrefix(dep, module+"/") || inModule(dep) == name {
		return false
	}
	for _, ours := range r.ours {
		if within(inModule(dep), ours) {
			return false
		}
	}
	return true
}

func inModule(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// within tells whether a package is the one of this name, or below the folder that ends in /...
func within(name, of string) bool {
	folder, all := strings.CutSuffix(of, "/...")
	return name == folder || all && strings.HasPrefix(name, folder+"/")
}
