package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
)

// BenchmarkCONED measures what a customer waits for at the practice site of CONED, from submitting the login to the
// code page and from submitting the code to the meters: through Meterkey, and by a bare Playwright program that does the
// same steps in a browser that is open already. The two take turns, so that a noisy machine disturbs both alike.
//
//	go test ./internal/e2e -run '^$' -bench CONED -benchtime 20x
func BenchmarkCONED(b *testing.B) {
	dir := b.TempDir()
	s, err := devenv.Up(b.Context(), devenv.Options{Bin: bin, Dir: dir})
	b.Cleanup(func() { require.NoError(b, s.Down(context.Background())) })
	require.NoError(b, err)
	_, err = s.StartWorker(b.Context(), "a")
	require.NoError(b, err)
	client, err := s.Client(b.Context())
	require.NoError(b, err)
	bare := openBare(b, s.Practice)
	var ours, theirs times
	for i := range b.N {
		c := &devenv.Customer{Environment: s, Client: client, ID: fmt.Sprintf("bench-%d", i), Utility: "CONED",
			User: fmt.Sprintf("code.bench-%d@example.com", i), Say: func(string, ...any) {}}
		ours.add(throughMeterkey(b, c))
		c.User = fmt.Sprintf("code.bare-%d@example.com", i)
		theirs.add(bare.request(b, c))
	}
	ours.report(b, "meterkey")
	theirs.report(b, "bare")
}

type times struct{ codePage, meters []float64 }

func (t *times) add(codePage, meters time.Duration) {
	t.codePage = append(t.codePage, codePage.Seconds())
	t.meters = append(t.meters, meters.Seconds())
}

func (t *times) report(b *testing.B, who string) {
	b.ReportMetric(median(t.codePage), who+"-s-to-code-page")
	b.ReportMetric(median(t.meters), who+"-s-to-meters")
}

func throughMeterkey(b *testing.B, c *devenv.Customer) (codePage, meters time.Duration) {
	b.Helper()
	ctx := b.Context()
	require.NoError(b, c.Start(ctx))
	_, err := c.Await(ctx, meterkey.AwaitingLogin)
	require.NoError(b, err)
	s, err := c.SignIn(ctx, meterkey.AwaitingCode)
	require.NoError(b, err)
	code, _, err := c.ReadCode(ctx, 0)
	require.NoError(b, err)
	s, err = c.Connected(c.Answer(ctx, s.Challenge, code, meterkey.Connected))
	require.NoError(b, err)
	require.NotEmpty(b, s.Meters)
	return c.CodePage, c.Meters
}

// bareProgram is what one would write without Meterkey.
type bareProgram struct {
	browser playwright.Browser
	site    string
	opower  string
}

func openBare(b *testing.B, sites *practice.Server) *bareProgram {
	b.Helper()
	executable, err := browser.FindChromium()
	require.NoError(b, err)
	pw, err := playwright.Run(&playwright.RunOptions{SkipInstallBrowsers: true, DriverDirectory: os.Getenv("PLAYWRIGHT_DRIVER_PATH")})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, pw.Stop()) })
	args := []string{"--proxy-server=127.0.0.1:9", "--proxy-bypass-list=*.localhost;127.0.0.1"}
	opened, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{ExecutablePath: &executable, Args: args,
		ChromiumSandbox: playwright.Bool(os.Geteuid() != 0)})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, opened.Close()) })
	origins := sites.Origins()
	return &bareProgram{browser: opened, site: origins["https://www.coned.com"], opower: origins["https://cned.opower.com"]}
}

func (p *bareProgram) request(b *testing.B, c *devenv.Customer) (codePage, meters time.Duration) {
	b.Helper()
	began := time.Now()
	window, err := p.browser.NewContext()
	require.NoError(b, err)
	page, err := window.NewPage()
	require.NoError(b, err)
	_, err = page.Goto(p.site + "/en/login")
	require.NoError(b, err)
	require.NoError(b, page.Locator("#form-login-email").PressSequentially(c.User))
	require.NoError(b, page.Locator("#form-login-password").PressSequentially(devenv.PracticePassword))
	require.NoError(b, page.Locator("#form-login-password").Blur())
	require.NoError(b, page.Locator("button.js-login-submit-button").Click())
	require.NoError(b, page.Locator("#form-login-mfa-code").WaitFor())
	codePage = time.Since(began)
	code, _, err := c.ReadCode(b.Context(), 0)
	require.NoError(b, err)
	began = time.Now()
	require.NoError(b, page.Locator("#form-login-mfa-code").PressSequentially(code))
	require.NoError(b, page.Locator("#form-login-mfa-code").Blur())
	require.NoError(b, page.Locator("button.js-device-submit-button").Click())
	require.NoError(b, page.WaitForURL(p.site+"/en/accounts-billing/my-account**", playwright.PageWaitForURLOptions{WaitUntil: playwright.WaitUntilStateCommit}))
	found, err := page.Evaluate(strings.ReplaceAll(readMeters, "OPOWER", p.opower))
	require.NoError(b, err)
	meters = time.Since(began)
	require.NotEmpty(b, found)
	require.NoError(b, window.Close())
	return codePage, meters
}

// readMeters makes the same three kinds of requests as utilities/coned.yaml.
const readMeters = `async () => {
  const token = await (await fetch('/sitecore/api/ssc/ConEd-Cms-Services-Controllers-Opower/OpowerService/0/GetOPowerToken')).json();
  const get = async path => (await fetch('OPOWER' + path, {headers: {Authorization: 'Bearer ' + token}})).json();
  const all = await get('/ei/edge/apis/multi-account-v1/cws/cned/customers?offset=0&batchSize=100&addressFilter=');
  const accounts = all.customers.flatMap(c => c.utilityAccounts);
  const meters = [];
  for (const a of accounts) {
    meters.push(...(await get('/ei/edge/apis/cws-real-time-ami-v1/cws/cned/accounts/' + a.uuid + '/meters')).meters_ids);
  }
  return meters;
}`
