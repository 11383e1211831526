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

// widths are those of a phone and of a desk.
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

// looker looks at pages in one language and one colour scheme.
type looker struct {
	*testing.T
	page playwright.Page
}

func looks(t *testing.T, scheme *playwright.ColorScheme) *looker {
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
	return &looker{T: t, page: page}
}

func (l *looker) ask(script string) any {
	l.Helper()
	answer, err := l.page.Evaluate(script)
	require.NoError(l, err)
	return answer
}

// scenesAt reads the names of all pages from the gallery's index.
func (l *looker) scenesAt(gallery string) []string {
	l.Helper()
	_, err := l.page.Goto(gallery)
	require.NoError(l, err)
	names, err := l.page.Locator("tbody th").AllInnerTexts()
	require.NoError(l, err)
	return names
}

func TestGalleryShowsEverything(t *testing.T) {
	t.Parallel()
	names := strings.Join(looks(t, nil).scenesAt(galleryAt(t)), " ") + " "
	for _, row := range meterkey.Reasons() {
		require.True(t, strings.Contains(names, "-"+string(row.Reason)+" ") || row.Reason == meterkey.CodeRejected || row.Reason == meterkey.MFAUnsupported, row.Reason)
	}
	for _, want := range []string{"code", "code-rejected", "question", "choice", "mfa-off", "connected", "declined", "canceled", "expired", "failed",
		"signing-in", "submitting-code", "fetching-meters", "problem-replaced"} {
		require.Contains(t, names, want+" ")
	}
}

// Every page in every state, light and dark, in both languages, on a phone and on a desk.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	gallery := galleryAt(t)
	for lang, scheme := range map[string]*playwright.ColorScheme{"en": playwright.ColorSchemeLight, "es": playwright.ColorSchemeDark} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			l := looks(t, scheme)
			for _, name := range l.scenesAt(gallery) {
				_, err := l.page.Goto(gallery + lang + "/" + name)
				require.NoError(t, err)
				require.Equal(t, lang, l.ask("document.documentElement.lang"))
				for _, width := range widths {
					require.NoError(t, l.page.SetViewportSize(width, 844))
					l.requireAccessible(name)
					l.picture(fmt.Sprintf("%s-%s-%d", name, lang, width))
				}
			}
		})
	}
}

func (l *looker) requireAccessible(name string) {
	l.Helper()
	require.Empty(l, l.ask(`async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
		(v) => v.id + ": " + v.nodes.map((n) => n.html + " " + n.failureSummary).join("; "))`), name)
	require.LessOrEqual(l, l.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0, "%s scrolls sideways", name)
}

// picture keeps what the page looks like, where somebody wants to look at it.
func (l *looker) picture(name string) {
	l.Helper()
	dir := os.Getenv("MK_PICTURES")
	if dir == "" {
		return
	}
	_, err := l.page.Screenshot(playwright.PageScreenshotOptions{Path: playwright.String(filepath.Join(dir, "customer-"+name+".png")), FullPage: playwright.Bool(true)})
	require.NoError(l, err)
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
	gallery, l := galleryAt(t), looks(t, nil)
	for _, name := range l.scenesAt(gallery) {
		_, err := l.page.Goto(gallery + "en/" + name)
		require.NoError(t, err)
		all, ok := l.ask(controls).(int)
		require.True(t, ok)
		for range all + 2 { // it may begin in the middle, and passes the page's end
			require.NoError(t, l.page.Keyboard().Press("Tab"))
			require.NotContains(t, l.ask(reached), "unseen", "focus cannot be seen on %s", name)
		}
		require.Equal(t, all, l.ask(`document.querySelectorAll("[data-reached]").length`), "controls reached on %s", name)
		require.Zero(t, l.ask(`document.querySelectorAll("[tabindex]:not([tabindex='-1'])").length`), "an order of its own on %s", name)
	}
}
