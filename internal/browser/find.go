package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// FindChromium returns the path of a Chromium binary: what MK_CHROMIUM names, else the first of the well-known places
// of this system, headless shells before full browsers because they start faster and need less memory.
func FindChromium() (string, error) {
	if path := os.Getenv("MK_CHROMIUM"); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			return "", fmt.Errorf("MK_CHROMIUM names no program: %w", err)
		}
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("looking for Chromium: %w", err)
	}
	return firstProgram(chromiumPlaces(runtime.GOOS, home, os.Getenv("PLAYWRIGHT_BROWSERS_PATH")))
}

// firstProgram takes paths, patterns and names to be looked up in PATH, in the order of preference.
func firstProgram(places []string) (string, error) {
	for _, place := range places {
		found, err := filepath.Glob(place)
		if err != nil {
			return "", fmt.Errorf("looking for Chromium: %w", err)
		}
		if !filepath.IsAbs(place) {
			found = []string{place}
		}
		// Of several revisions the last one sorts last.
		for i := len(found) - 1; i >= 0; i-- {
			if path, err := exec.LookPath(found[i]); err == nil {
				return path, nil
			}
		}
	}
	return "", errors.New("no Chromium found: install the package chromium-headless-shell (Debian) or chromium, " +
		"run `npx playwright-core install --only-shell chromium`, or name the binary in MK_CHROMIUM")
}

// chromiumPlaces lists binaries rather than the scripts that distributions put into /usr/bin: some of those scripts stay
// around as the browser's parent.
func chromiumPlaces(system, home, playwright string) []string {
	if system == "darwin" {
		return macPlaces(home, playwright)
	}
	if playwright == "" {
		playwright = filepath.Join(home, ".cache", "ms-playwright")
	}
	return []string{
		"/usr/lib/chromium/chromium-headless-shell",
		"/usr/lib/chromium/headless_shell",
		playwright + "/chromium_headless_shell-*/chrome-linux*/headless_shell",
		playwright + "/chromium_headless_shell-*/chrome-headless-shell-linux*/chrome-headless-shell",
		"/usr/lib/chromium/chromium",
		"/usr/lib/chromium-browser/chromium-browser",
		"/usr/lib64/chromium-browser/chromium-browser",
		playwright + "/chromium-*/chrome-linux*/chrome",
		"chrome-headless-shell", "chromium", "chromium-browser",
		"/opt/google/chrome/chrome",
	}
}

func macPlaces(home, playwright string) []string {
	if playwright == "" {
		playwright = filepath.Join(home, "Library", "Caches", "ms-playwright")
	}
	return []string{
		playwright + "/chromium_headless_shell-*/chrome-mac*/headless_shell",
		playwright + "/chromium_headless_shell-*/chrome-headless-shell-mac*/chrome-headless-shell",
		"chrome-headless-shell",
		playwright + "/chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		home + "/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	}
}
