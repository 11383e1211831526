package dashboard

import (
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// Every page, as a person sees it: nothing for axe-core to find, nothing wider than the window, on a phone and on a desktop.
func TestPages(t *testing.T) {
	f := newFixture(t, options{})
	seeded := f.seed()
	pages := []struct{ name, path, see string }{
		{"list", "/dashboard/requests", "#list tbody tr"},
		{"list-searched", "/dashboard/requests?q=ana", "text=Ana García"},
		{"list-none", "/dashboard/requests?q=nobody&status=declined", "text=No data request matches"},
		{"request-code", "/dashboard/requests/" + seeded.asked, "text=Enter the code that we sent"},
		{"request-choice", "/dashboard/requests/" + seeded.choosing, "text=How should we send you the code?"},
		{"request-connected", "/dashboard/requests/" + seeded.connected, "text=5 meters"},
		{"request-large", "/dashboard/requests/" + seeded.large, "text=The first 200 are shown"},
		{"request-failed", "/dashboard/requests/" + seeded.failed, "text=Three logins were rejected"},
		{"confirm", "/dashboard/requests/" + seeded.connected + "/revoke", "text=Revoke the permission?"},
		{"new", "/dashboard/requests/new", "text=Last day of the permission"},
		{"imports", "/dashboard/imports", "text=The columns"},
		{"keys", "/dashboard/keys", "text=Make a key"},
		{"webhooks", "/dashboard/webhooks", "text=Add a webhook"},
		{"numbers", "/dashboard/numbers?days=30", ".plot canvas"},
		{"account", "/dashboard/account", "text=Change your password"},
		{"missing", "/dashboard/nowhere", "text=There is nothing here"},
	}
	for _, size := range []struct {
		name string
		size playwright.Size
	}{{"phone", phone}, {"desktop", desktop}} {
		t.Run(size.name, func(t *testing.T) {
			s := f.open(t, size.size, patsEmail)
			for _, p := range pages {
				s.visit(p.path)
				s.see(p.see)
				s.fits()
				s.accessible()
				s.picture(p.name + "-" + size.name)
			}
		})
	}
}

// The colours of the night are as readable as those of the day.
func TestPagesInTheDark(t *testing.T) {
	f := newFixture(t, options{})
	seeded := f.seed()
	s := f.open(t, desktop, patsEmail, dark)
	for name, path := range map[string]string{"list": "/dashboard/requests", "request": "/dashboard/requests/" + seeded.asked, "numbers": "/dashboard/numbers"} {
		s.visit(path)
		s.see("h1")
		s.accessible()
		s.picture(name + "-dark")
	}
}

func TestTheEmptyDashboardTeaches(t *testing.T) {
	f := newFixture(t, options{})
	for name, size := range map[string]playwright.Size{"phone": phone, "desktop": desktop} {
		s := f.open(t, size, patsEmail)
		s.see("text=Send your first data request")
		s.fits()
		s.accessible()
		s.picture("first-" + name)
		s.follow("New data request")
		s.see("h1:has-text('New data request')")
	}
}

func TestSignInPage(t *testing.T) {
	f := newFixture(t, options{})
	for name, size := range map[string]playwright.Size{"phone": phone, "desktop": desktop} {
		s := f.open(t, size, "")
		s.visit("/dashboard/requests?q=x")
		s.fill("E-mail", patsEmail)
		s.fill("Password", "wrong")
		s.press("Sign in")
		s.see("text=do not belong together")
		s.fits()
		s.accessible()
		s.picture("sign-in-" + name)
		s.fill("Password", rightPassword)
		s.press("Sign in")
		require.NoError(t, s.WaitForURL("**/dashboard/requests?q=x"), "on to the page that was asked for")
	}
}

// The engine that finds nothing on our pages does find what is wrong.
func TestWhatIsWrongIsFound(t *testing.T) {
	f := newFixture(t, options{})
	s := f.open(t, desktop, "")
	s.visit("/dashboard/sign-in")
	_, err := s.Evaluate(`() => document.querySelectorAll("label").forEach((label) => label.remove())`)
	require.NoError(t, err)
	require.Len(t, s.violations(), 1)
	require.Equal(t, "label", s.violations()[0].ID)
}
