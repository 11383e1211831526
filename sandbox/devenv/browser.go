package devenv

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/playwright-community/playwright-go"

	"github.com/meterkey/meterkey/internal/browser"
)

// pageLimit bounds the browser's start and each step at a page, far above what any takes.
const pageLimit = 3 * time.Minute

// Browser is a person's own browser, apart from the workers': it reaches this machine and nothing else.
type Browser struct {
	playwright *playwright.Playwright
	browser    playwright.Browser
}

// OpenBrowser starts a browser. Close it in the end.
func OpenBrowser() (*Browser, error) {
	executable, err := browser.FindChromium()
	if err != nil {
		return nil, err
	}
	pw, err := playwright.Run(&playwright.RunOptions{SkipInstallBrowsers: true})
	if err != nil {
		return nil, fmt.Errorf("starting Playwright: %w", err)
	}
	args := []string{"--proxy-server=127.0.0.1:9", "--proxy-bypass-list=*.localhost;127.0.0.1"}
	opened, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{ExecutablePath: &executable, Args: args,
		ChromiumSandbox: playwright.Bool(os.Geteuid() != 0), Timeout: playwright.Float(float64(pageLimit.Milliseconds()))})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting a browser: %w", err), pw.Stop())
	}
	return &Browser{pw, opened}, nil
}

// Close ends the browser.
func (b *Browser) Close() error { return errors.Join(b.browser.Close(), b.playwright.Stop()) }

// Page is a customer's page of the portal, in a window of its own.
type Page struct {
	playwright.Page
}

// Open opens an address, with cookies and storage of its own, in English.
func (b *Browser) Open(address string) (*Page, error) {
	window, err := b.browser.NewContext(playwright.BrowserNewContextOptions{Locale: playwright.String("en-US")})
	if err != nil {
		return nil, fmt.Errorf("opening a window: %w", err)
	}
	window.SetDefaultTimeout(float64(pageLimit.Milliseconds()))
	page, err := window.NewPage()
	if err == nil {
		_, err = page.Goto(address)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the page: %w", err), window.Close())
	}
	return &Page{page}, nil
}

// Leave closes the page and its window.
func (p *Page) Leave() error { return p.Context().Close() }

// Agree consents to what the requester asks for, and goes on to the sign-in form.
func (p *Page) Agree() error {
	if err := p.Locator("input[name=agree]").Check(); err != nil {
		return fmt.Errorf("agreeing: %w", err)
	}
	if err := p.press("Agree and continue"); err != nil {
		return err
	}
	return p.See("#username")
}

// SignIn types a login and sends it. What follows is for See to wait for.
func (p *Page) SignIn(user, password string) error {
	if err := errors.Join(p.Locator("#username").Fill(user), p.Locator("#password").Fill(password)); err != nil {
		return fmt.Errorf("typing the login: %w", err)
	}
	return p.press("Sign in")
}

// TypeCode types a code or an answer and sends it.
func (p *Page) TypeCode(code string) error {
	if err := p.Locator("#code").Fill(code); err != nil {
		return fmt.Errorf("typing the code: %w", err)
	}
	return p.press("Confirm")
}

// See waits until something is visible.
func (p *Page) See(selector string) error {
	if err := p.Locator(selector).First().WaitFor(); err != nil {
		return fmt.Errorf("waiting for %s: %w", selector, err)
	}
	return nil
}

// SeeHeading waits for the page's heading.
func (p *Page) SeeHeading(text string) error {
	return p.See("h1:has-text(\"" + text + "\")")
}

func (p *Page) press(name string) error {
	err := p.GetByRole("button", playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)}).Click()
	if err != nil {
		return fmt.Errorf("pressing %q: %w", name, err)
	}
	return nil
}
