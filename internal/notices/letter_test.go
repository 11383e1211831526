package notices

import (
	"flag"

	"github.com/meterkey/meterkey"

	htmltemplate "html/template"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var keep = flag.String("keep", "", "folder to keep every notice's HTML and text in, to look at")

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func request() meterkey.Request {
	return meterkey.Request{
		RequestID: "r-1042", Requester: "acme", RequesterName: "Acme Solar", Utility: "PECO",
		RequesterEmail: "desk@acme.example", CustomerEmail: "pat@customer.example",
	}
}

func utility() UtilityInfo {
	return UtilityInfo{ID: "PECO", Name: "Philadelphia Electric Company", Website: "https://www.peco.example", FAQ: "https://www.peco.example/faqs"}
}

// sample is a notice as the workflow sends it.
type sample struct {
	name string
	meterkey.Notice
}

// samples are every kind to every audience, for every reason that it can have.
func samples() []sample {
	var all []sample
	add := func(kind meterkey.NoticeKind, to meterkey.Audience, reason meterkey.Reason) {
		until := now.Add(7 * 24 * time.Hour)
		name := string(to) + "-" + string(kind)
		if reason != "" {
			name += "-" + string(reason)
		}
		all = append(all, sample{name, meterkey.Notice{
			ID: "r-1042.0f3a9c11.7", Kind: kind, To: to, Reason: reason, Request: request(), Until: &until, Meters: 3,
		}})
	}
	for _, kind := range []meterkey.NoticeKind{meterkey.NoticeSignIn, meterkey.NoticeCodeNeeded, meterkey.NoticeMFAReminder,
		meterkey.NoticeConnected, meterkey.NoticeExpired, meterkey.NoticeCanceled} {
		add(kind, meterkey.ToCustomer, "")
	}
	for _, kind := range []meterkey.NoticeKind{meterkey.NoticeConnected, meterkey.NoticeDeclined, meterkey.NoticeExpired} {
		add(kind, meterkey.ToRequester, "")
	}
	for _, row := range meterkey.Reasons() {
		kind := map[meterkey.Status]meterkey.NoticeKind{
			meterkey.AwaitingLogin: meterkey.NoticeSignInAgain, meterkey.AwaitingCode: meterkey.NoticeSignInAgain,
			meterkey.AwaitingMFAOff: meterkey.NoticeTurnMFAOff, meterkey.Failed: meterkey.NoticeFailed,
		}[row.Leads]
		if row.Customer != "" {
			add(kind, meterkey.ToCustomer, row.Reason)
		}
		if row.Requester != "" {
			add(kind, meterkey.ToRequester, row.Reason)
		}
	}
	return all
}

func TestEveryNoticeIsComplete(t *testing.T) {
	l, err := parseLetters()
	require.NoError(t, err)
	for _, s := range samples() {
		for _, mfa := range []bool{false, true} {
			s.MFAWasOff = mfa
			f := factsOf(s.Notice, utility(), links, now)
			written, err := l.write(s.Notice, f)
			require.NoError(t, err, s.name)
			requireComplete(t, s, f, written)
			keepSample(t, s, written)
		}
	}
}

func requireComplete(t *testing.T, s sample, f facts, l letter) {
	t.Helper()
	require.NotContains(t, l.Subject, "\n", s.name)
	require.Contains(t, l.Subject+l.Text, "Philadelphia Electric Company", s.name)
	for _, part := range []string{l.Subject, l.Text, l.HTML} {
		require.NotEmpty(t, strings.TrimSpace(part), s.name)
		for _, slip := range []string{"<no value>", "%!", "{{", "  .", " ,", "for ,", "ZgotmplZ"} {
			require.NotContains(t, part, slip, s.name)
		}
	}
	body, _, found := strings.Cut(l.Text, "\n-- \n")
	require.True(t, found, s.name+" is signed")
	for _, paragraph := range strings.Split(strings.TrimSpace(body), "\n\n") {
		require.Contains(t, l.HTML, htmltemplate.HTMLEscapeString(strings.Split(paragraph, "\n")[0]), s.name)
	}
	stepByStep := s.Kind == meterkey.NoticeTurnMFAOff && s.To == meterkey.ToCustomer
	if s.Reason != "" && !stepByStep {
		require.Contains(t, l.Text, f.Why, s.name+" gives the reason")
	}
	if s.To == meterkey.ToRequester {
		require.NotContains(t, l.Text+l.HTML, f.Link, s.name+" keeps the customer's link from the requester")
		require.Contains(t, l.Subject, "r-1042", s.name)
	}
}

func keepSample(t *testing.T, s sample, l letter) {
	t.Helper()
	if *keep == "" {
		return
	}
	name := filepath.Join(*keep, s.name)
	if s.MFAWasOff {
		name += "-mfa"
	}
	require.NoError(t, os.WriteFile(name+".html", []byte(l.HTML), 0o600))
	require.NoError(t, os.WriteFile(name+".txt", []byte("Subject: "+l.Subject+"\n\n"+l.Text), 0o600))
}

func TestEveryTemplateIsUsed(t *testing.T) {
	l, err := parseLetters()
	require.NoError(t, err)
	for _, s := range samples() {
		delete(l.scripts, path.Join("templates", string(s.To), string(s.Kind)+".txt"))
	}
	require.Empty(t, l.scripts)
}

func TestWhatNoticesSay(t *testing.T) {
	soon := now.Add(9*time.Minute + 50*time.Second)
	cases := []struct {
		name     string
		change   func(*meterkey.Notice, *UtilityInfo)
		kind     meterkey.NoticeKind
		to       meterkey.Audience
		has, not []string
	}{
		{name: "the sign-in link is the portal's", kind: meterkey.NoticeSignIn, to: meterkey.ToCustomer,
			has: []string{"https://meterkey.example/r/r-1042", "Acme Solar", "7 days"}},
		{name: "or the requester's own", kind: meterkey.NoticeSignIn, to: meterkey.ToCustomer,
			change: func(n *meterkey.Notice, _ *UtilityInfo) { n.Request.Link = "https://acme.example/connect?r=1" },
			has:    []string{"https://acme.example/connect?r=1"}, not: []string{"meterkey.example"}},
		{name: "a link that is no page is not followed", kind: meterkey.NoticeSignIn, to: meterkey.ToCustomer,
			change: func(n *meterkey.Notice, _ *UtilityInfo) { n.Request.Link = "javascript:alert(1)" },
			has:    []string{"https://meterkey.example/r/r-1042"}, not: []string{"javascript"}},
		{name: "a requester without a name goes by its id", kind: meterkey.NoticeSignIn, to: meterkey.ToCustomer,
			change: func(n *meterkey.Notice, _ *UtilityInfo) { n.Request.RequesterName = "" }, has: []string{"acme asks you"}},
		{name: "a utility without a name goes by its id", kind: meterkey.NoticeSignIn, to: meterkey.ToCustomer,
			change: func(_ *meterkey.Notice, u *UtilityInfo) { u.Name = "" }, has: []string{"PECO account"}},
		{name: "the code's time is the window's", kind: meterkey.NoticeCodeNeeded, to: meterkey.ToCustomer,
			change: func(n *meterkey.Notice, _ *UtilityInfo) { n.Until = &soon }, has: []string{"You have 10 minutes."}},
		{name: "no deadline, no sentence", kind: meterkey.NoticeCodeNeeded, to: meterkey.ToCustomer,
			change: func(n *meterkey.Notice, _ *UtilityInfo) { n.Until = nil }, not: []string{"You have"}},
		{name: "MFA off names the utility's page and promises its return", kind: meterkey.NoticeTurnMFAOff, to: meterkey.ToCustomer,
			has: []string{"https://www.peco.example/faqs", "How to turn it off", "you may turn it on again"}},
		{name: "without such a page, its website", kind: meterkey.NoticeTurnMFAOff, to: meterkey.ToCustomer,
			change: func(_ *meterkey.Notice, u *UtilityInfo) { u.FAQ = "" },
			has:    []string{"security settings", "https://www.peco.example\n"}, not: []string{"How to turn it off"}},
		{name: "without either, no button", kind: meterkey.NoticeMFAReminder, to: meterkey.ToCustomer,
			change: func(_ *meterkey.Notice, u *UtilityInfo) { u.FAQ, u.Website = "", "" }, has: []string{"security settings of your account."},
			not: []string{"Open my"}},
		{name: "connected after MFA was off", kind: meterkey.NoticeConnected, to: meterkey.ToCustomer,
			change: func(n *meterkey.Notice, _ *UtilityInfo) { n.MFAWasOff, n.Meters = true, 1 },
			has:    []string{"with 1 meter.", "You may turn it on again now", "it must be off again"}},
		{name: "connected otherwise", kind: meterkey.NoticeConnected, to: meterkey.ToCustomer, not: []string{"multi-factor", "faqs"}},
		{name: "the requester knows the customer by address", kind: meterkey.NoticeDeclined, to: meterkey.ToRequester,
			has: []string{"pat@customer.example"}},
	}
	l, err := parseLetters()
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			until, u := now.Add(7*24*time.Hour-time.Second), utility()
			n := meterkey.Notice{ID: "n", Kind: c.kind, To: c.to, Request: request(), Until: &until, Meters: 3}
			if c.change != nil {
				c.change(&n, &u)
			}
			written, err := l.write(n, factsOf(n, u, links, now))
			require.NoError(t, err)
			for _, has := range c.has {
				require.Contains(t, written.Text, has)
			}
			for _, not := range c.not {
				require.NotContains(t, written.Text+written.HTML, not)
			}
		})
	}
}

func TestFactsCannotChangeTheLetter(t *testing.T) {
	l, err := parseLetters()
	require.NoError(t, err)
	n := meterkey.Notice{ID: "n", Kind: meterkey.NoticeSignIn, To: meterkey.ToCustomer, Request: request()}
	n.Request.RequesterName = "Acme\r\nBcc: all@x.example\r\n\r\n[Press here](https://evil.example) <img src=x> {{.Link}}"
	written, err := l.write(n, factsOf(n, utility(), links, now))
	require.NoError(t, err)
	require.NotContains(t, written.Subject, "\n")
	require.NotContains(t, written.HTML, "<img")
	require.NotContains(t, written.HTML, `href="https://evil.example"`)
	require.NotContains(t, written.Text, "\nBcc")
	require.Contains(t, written.Text, "{{.Link}}", "a fact is not a template")
}

func TestNoTemplate(t *testing.T) {
	l, err := parseLetters()
	require.NoError(t, err)
	n := meterkey.Notice{Kind: meterkey.NoticeSignIn, To: meterkey.ToRequester}
	_, err = l.write(n, facts{})
	require.EqualError(t, err, `no template for "sign_in" to "requester"`)
}

func TestLeft(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		7*day - time.Second: "7 days", 6*day + 12*time.Hour: "6 days", 2*day - time.Second: "2 days", 36 * time.Hour: "36 hours",
		2*time.Hour - time.Second: "2 hours", 119 * time.Minute: "2 hours", 100 * time.Minute: "100 minutes",
		10*time.Minute - time.Second: "10 minutes", 90*time.Second - 1: "1 minute", 10 * time.Second: "", -day: "",
	} {
		require.Equal(t, want, left(d), d.String())
	}
}

func TestLetter_BeforeAUtilityIsChosen(t *testing.T) {
	t.Parallel()
	l, err := parseLetters()
	require.NoError(t, err)
	n := notice()
	n.Request.Utility = ""
	for _, kind := range []meterkey.NoticeKind{meterkey.NoticeSignIn, meterkey.NoticeCanceled, meterkey.NoticeExpired} {
		n.Kind = kind
		written, err := l.write(n, factsOf(n, UtilityInfo{}, links, now))
		require.NoError(t, err)
		require.Contains(t, written.Subject+written.Text, "your utility account")
		require.NotContains(t, written.Text, "for utility.")
	}
}
