package customer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/portal/web"
)

// widths are those of a phone and of a desktop.
var widths = []int{390, 1280}

// galleryAt serves the gallery and gives its address.
func galleryAt(t *testing.T) string {
	t.Helper()
	d := deps(t)
	pages, err := customer.Gallery(d)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(customer.GalleryPrefix, pages)
	mux.Handle(web.AssetPrefix, d.Assets)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + customer.GalleryPrefix
}

// viewer looks at pages in one language and one colour scheme.
type viewer struct {
	*testing.T
	page playwright.Page
}

func newViewer(t *testing.T, scheme *playwright.ColorScheme) *viewer {
	t.Helper()
	w := window(t, playwright.BrowserNewContextOptions{ColorScheme: scheme, ReducedMotion: playwright.ReducedMotionReduce})
	axe, err := os.ReadFile("../../.tools/axe/node_modules/axe-core/axe.min.js")
	require.NoError(t, err, "make setup installs it")
	require.NoError(t, w.AddInitScript(playwright.Script{Content: playwright.String(string(axe))}))
	page, err := w.NewPage()
	require.NoError(t, err)
	page.OnConsole(func(m playwright.ConsoleMessage) { // a page that the content policy holds something against says so there
		if m.Type() == "error" && !strings.Contains(m.Text(), "Failed to load resource: the server responded with a status of") {
			t.Errorf("%s says: %s", page.URL(), m.Text())
		}
	})
	page.OnPageError(func(err error) { t.Errorf("the script of %s failed: %v", page.URL(), err) })
	return &viewer{T: t, page: page}
}

func (v *viewer) evaluate(script string) any {
	v.Helper()
	answer, err := v.page.Evaluate(script)
	require.NoError(v, err)
	return answer
}

// previewNames reads the names of all pages from the gallery's index.
func (v *viewer) previewNames(gallery string) []string {
	v.Helper()
	_, err := v.page.Goto(gallery)
	require.NoError(v, err)
	names, err := v.page.Locator("tbody th").AllInnerTexts()
	require.NoError(v, err)
	return names
}

func TestGalleryShowsEverything(t *testing.T) {
	t.Parallel()
	names := strings.Join(newViewer(t, nil).previewNames(galleryAt(t)), " ") + " "
	for _, row := range meterkey.Reasons() {
		require.True(t, strings.Contains(names, "-"+string(row.Reason)+" ") || row.Reason == meterkey.CodeRejected || row.Reason == meterkey.MFAUnsupported, row.Reason)
	}
	for _, want := range []string{"code", "code-rejected", "question", "choice", "mfa-off", "connected", "declined", "canceled", "expired", "failed",
		"signing-in", "submitting-code", "fetching-meters", "problem-replaced"} {
		require.Contains(t, names, want+" ")
	}
}

// Every page in every state, light and dark, in both languages, on a phone and on a desktop.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	gallery := galleryAt(t)
	for lang, scheme := range map[string]*playwright.ColorScheme{"en": playwright.ColorSchemeLight, "es": playwright.ColorSchemeDark} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			v := newViewer(t, scheme)
			for _, name := range v.previewNames(gallery) {
				_, err := v.page.Goto(gallery + lang + "/" + name)
				require.NoError(t, err)
				require.Equal(t, lang, v.evaluate("document.documentElement.lang"))
				for _, width := range widths {
					require.NoError(t, v.page.SetViewportSize(width, 844))
					v.requireAccessible(name)
					v.picture(fmt.Sprintf("%s-%s-%d", name, lang, width))
				}
			}
		})
	}
}

func (v *viewer) requireAccessible(name string) {
	v.Helper()
	require.Empty(v, v.evaluate(`async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
		(v) => v.id + ": " + v.nodes.map((n) => n.html + " " + n.failureSummary).join("; "))`), name)
	require.LessOrEqual(v, v.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0, "%s scrolls sideways", name)
}

// picture keeps what the page looks like, where somebody wants to look at it.
func (v *viewer) picture(name string) {
	v.Helper()
	dir := os.Getenv("MK_PICTURES")
	if dir == "" {
		return
	}
	_, err := v.page.Screenshot(playwright.PageScreenshotOptions{Path: playwright.String(filepath.Join(dir, "customer-"+name+".png")), FullPage: playwright.Bool(true)})
	require.NoError(v, err)
}

// controls lists what can be worked with; of the radio buttons of one group, a keyboard reaches one.
const controls = `() => {
	const groups = new Set();
	return Array.from(document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")).filter((e) => {
		if (!e.checkVisibility() || e.type === "radio" && groups.has(e.name)) return false;
		if (e.type === "radio") groups.add(e.name);
		return true;
	}).length;
}`

// reached presses nothing: it names the control that has the focus, and tells whether that can be seen.
const reached = `() => {
	const e = document.activeElement;
	if (e === document.body) return "";
	const outlined = (x) => x && getComputedStyle(x).outlineStyle !== "none" && parseFloat(getComputedStyle(x).outlineWidth) > 0;
	if (!outlined(e) && !outlined(e.closest("label"))) return "unseen: " + e.outerHTML;
	e.dataset.reached = "yes";
	return e.outerHTML;
}`

func TestKeyboardAloneSuffices(t *testing.T) {
	t.Parallel()
	gallery, v := galleryAt(t), newViewer(t, nil)
	for _, name := range v.previewNames(gallery) {
		_, err := v.page.Goto(gallery + "en/" + name)
		require.NoError(t, err)
		all, ok := v.evaluate(controls).(int)
		require.True(t, ok)
		for range all + 2 { // it may begin in the middle, and passes the page's end
			require.NoError(t, v.page.Keyboard().Press("Tab"))
			require.NotContains(t, v.evaluate(reached), "unseen", "focus cannot be seen on %s", name)
		}
		require.Equal(t, all, v.evaluate(`document.querySelectorAll("[data-reached]").length`), "controls reached on %s", name)
		require.Zero(t, v.evaluate(`document.querySelectorAll("[tabindex]:not([tabindex='-1'])").length`), "an order of its own on %s", name)
	}
}
