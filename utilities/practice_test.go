package utilities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
)

// rehearsal is one account of one practice site, met in a page of its own.
type rehearsal struct {
	*testing.T
	server  *practice.Server
	utility *utilities.Utility
	user    string
	visit   *utilities.Visit
}

// expected is the page on which each kind of account lands once its login was submitted.
var expected = map[practice.Kind]utilities.PageKind{
	practice.Plain: utilities.SignedIn, practice.Nag: utilities.SignedIn, practice.Many: utilities.SignedIn, practice.None: utilities.SignedIn,
	practice.Code: utilities.CodeForm, practice.Slow: utilities.CodeForm, practice.Ends: utilities.CodeForm,
	practice.Question: utilities.QuestionForm, practice.Choice: utilities.ChoiceForm,
	practice.Wrong: utilities.RejectedLogin, practice.Locked: utilities.Locked, practice.Expired: utilities.PasswordExpired,
	practice.Unfinished: utilities.RegistrationUnfinished, practice.Captcha: utilities.Captcha,
	practice.Down: utilities.Unavailable, practice.Changed: utilities.Unknown,
}

func TestPracticeSites(t *testing.T) {
	server := startPractice(t)
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	var sites []struct {
		ID    string
		Kinds []practice.Kind
	}
	get(t, server.URL()+"/utilities", &sites)
	require.Len(t, sites, len(catalog.All()))
	for _, site := range sites {
		for _, kind := range site.Kinds {
			t.Run(site.ID+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				u, err := catalog.Find(site.ID)
				require.NoError(t, err)
				rehearse(t, server, u, kind)
			})
		}
	}
}

func startPractice(t *testing.T) *practice.Server {
	t.Helper()
	server, err := practice.Start(t.Context(), practice.Options{
		FormDelay: 60 * time.Millisecond, SlowDelay: 700 * time.Millisecond, EndsAfter: 2 * time.Second, ResendAfter: time.Millisecond,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	return server
}

func get(t *testing.T, address string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	require.Equal(t, http.StatusOK, response.StatusCode, address)
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
}

func rehearse(t *testing.T, server *practice.Server, u *utilities.Utility, kind practice.Kind) {
	quick := *u
	quick.Flow.RenderWait, quick.Flow.Settle = 20*time.Second, 1500*time.Millisecond
	if kind == practice.Changed {
		quick.Flow.RenderWait = 3 * time.Second // waited out in full
	}
	page := utilities.NewPage(t)
	r := &rehearsal{T: t, server: server, utility: &quick, user: string(kind) + "." + strings.ToLower(u.ID) + "@example.com"}
	r.visit = quick.Visit(func() playwright.Page { return page }, utilities.VisitOptions{
		Origins: server.Origins(), Log: zaptest.NewLogger(t, zaptest.Level(zap.InfoLevel)),
	})
	t.Cleanup(r.visit.Close)

	sight, err := r.visit.SignIn(t.Context(), utilities.Credentials{Username: r.user, Password: practice.Password})
	require.NoError(t, err)
	require.Equal(t, expected[kind], sight.Page, outline(sight))
	if kind != practice.Captcha { // which may stand before the password
		require.True(t, sight.Typed)
	}
	r.goOn(kind, sight)
}

// outline is what an unexpected page looked like.
func outline(sight utilities.Sight) string {
	if sight.Evidence == nil {
		return ""
	}
	return sight.Evidence.URL + "\n" + sight.Evidence.Outline
}

// goOn does what follows the login, and proves by the ledger that nothing happened twice.
func (r *rehearsal) goOn(kind practice.Kind, sight utilities.Sight) {
	want := practice.Ledger{}
	if sight.Typed {
		want.Logins = 1
	}
	switch kind {
	case practice.Code:
		r.wrongThenRight(sight)
		want.CodesSubmitted, want.CodesWrong = 2, 1
	case practice.Slow, practice.Question:
		r.submit(sight)
		want.CodesSubmitted = 1
	case practice.Choice:
		r.choose(sight)
		want.CodesSubmitted = 1
	case practice.Ends:
		r.watchItEnd()
	case practice.Wrong, practice.Locked:
		want.LoginsRejected = 1
	case practice.Changed:
		require.NotEmpty(r, sight.Evidence.Screenshot)
		require.Contains(r, sight.Evidence.Outline, "h1")
	case practice.Plain, practice.Nag, practice.Many, practice.None:
		r.readMeters()
	}
	var ledger practice.Ledger
	get(r.T, r.about("ledger"), &ledger)
	require.Equal(r, want.Logins, ledger.Logins)
	require.Equal(r, want.LoginsRejected, ledger.LoginsRejected)
	require.Equal(r, want.CodesSubmitted, ledger.CodesSubmitted)
	require.Equal(r, want.CodesWrong, ledger.CodesWrong)
}

func (r *rehearsal) about(what string) string {
	return r.server.URL() + "/" + what + "/" + r.utility.ID + "/" + url.PathEscape(r.user)
}

// code waits for the newest code on the practice phone, other than one known already.
func (r *rehearsal) code(known string) string {
	r.Helper()
	var code string
	require.Eventually(r, func() bool {
		var messages []practice.Message
		get(r.T, r.about("inbox"), &messages)
		code = ""
		for _, m := range messages {
			if m.Code != known {
				code = m.Code
			}
		}
		return code != ""
	}, 3*time.Minute, 50*time.Millisecond)
	return code
}

func (r *rehearsal) submit(sight utilities.Sight) {
	r.Helper()
	require.NotNil(r, sight.Challenge)
	require.Positive(r, sight.Challenge.Tries)
	sight, err := r.visit.SubmitCode(r.Context(), r.code(""), "code")
	require.NoError(r, err)
	require.Equal(r, utilities.SignedIn, sight.Page, outline(sight))
	r.readMeters()
}

func (r *rehearsal) wrongThenRight(sight utilities.Sight) {
	require.Equal(r, utilities.NumberCode, sight.Challenge.Kind)
	code := r.code("")
	wrong := strings.Map(func(d rune) rune { return '0' + (d-'0'+1)%10 }, code)
	sight, err := r.visit.SubmitCode(r.Context(), wrong, "code-1")
	require.NoError(r, err)
	require.Equal(r, utilities.RejectedCode, sight.Page, outline(sight))
	require.Nil(r, sight.Evidence, "the site's own words are known")
	kind, err := r.visit.Glance(r.Context())
	require.NoError(r, err)
	require.Contains(r, []utilities.PageKind{utilities.CodeForm, utilities.RejectedCode}, kind)
	code = r.sendAgain(code)
	sight, err = r.visit.SubmitCode(r.Context(), code, "code-2")
	require.NoError(r, err)
	require.Equal(r, utilities.SignedIn, sight.Page, outline(sight))
	r.readMeters()
}

// sendAgain asks for another code where the site offers that.
func (r *rehearsal) sendAgain(code string) string {
	var sight utilities.Sight
	var err error
	offered := func() bool {
		sight, err = r.visit.Look(r.Context())
		return err == nil && sight.Challenge != nil && sight.Challenge.CanSendAgain
	}
	if len(r.utility.Flow.Code.SendAgain) == 0 || !offered() {
		return code
	}
	sight, err = r.visit.SendAgain(r.Context())
	require.NoError(r, err)
	require.Equal(r, utilities.CodeForm, sight.Page, outline(sight))
	return r.code(code)
}

func (r *rehearsal) choose(sight utilities.Sight) {
	require.Equal(r, utilities.MethodChoice, sight.Challenge.Kind)
	options := sight.Challenge.Options
	require.GreaterOrEqual(r, len(options), 2)
	require.Regexp(r, `\*`, options[0].Target)
	sight, err := r.visit.Choose(r.Context(), options[0].ID)
	require.NoError(r, err)
	require.Equal(r, utilities.CodeForm, sight.Page, outline(sight))
	r.submit(sight)
}

// watchItEnd sees the site end the session while the code is awaited.
func (r *rehearsal) watchItEnd() {
	require.Eventually(r, func() bool {
		kind, err := r.visit.Glance(r.Context())
		return err == nil && kind == utilities.SessionEnded
	}, 3*time.Minute, 200*time.Millisecond)
}

func (r *rehearsal) readMeters() {
	r.Helper()
	meters, sight, err := r.visit.Meters(r.Context())
	require.NoError(r, err)
	require.Equal(r, utilities.SignedIn, sight.Page, outline(sight))
	var shown []map[string]string
	get(r.T, r.about("accounts"), &shown)
	require.Equal(r, r.comparable(shown), r.comparable(asMaps(r.T, meters)))
}

func asMaps(t *testing.T, meters []utilities.Meter) []map[string]string {
	t.Helper()
	text, err := json.Marshal(meters)
	require.NoError(t, err)
	var maps []map[string]string
	require.NoError(t, json.Unmarshal(text, &maps))
	return maps
}

// comparable puts the meters in an order of their own.
func (r *rehearsal) comparable(meters []map[string]string) []string {
	texts := []string{}
	for _, meter := range meters {
		text, err := json.Marshal(meter)
		require.NoError(r, err)
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}
