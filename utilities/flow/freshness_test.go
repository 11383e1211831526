package flow

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

// docs says which documents make up the page.
func (s snapshot) docs(ids ...string) snapshot { s.documents = ids; return s }

// TestOldEvidence follows the signs on a page from before an act to after it.
func TestOldEvidence(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	for name, c := range map[string]struct {
		before, after []snapshot // in the order of the looks
		want          utilities.PageKind
	}{
		"the message of the try before stays":     {[]snapshot{shown("#user", "#error").docs("1")}, []snapshot{shown("#user", "#error").docs("1")}, utilities.Unknown},
		"a message appears":                       {[]snapshot{shown("#user").docs("1")}, []snapshot{shown("#user", "#error").docs("1")}, utilities.RejectedLogin},
		"the same message on a new document":      {[]snapshot{shown("#user", "#error").docs("1")}, []snapshot{shown("#user", "#error").docs("2")}, utilities.RejectedLogin},
		"the message went and came again":         {[]snapshot{shown("#user", "#error").docs("1")}, []snapshot{shown("#user").docs("1"), shown("#user", "#error").docs("1")}, utilities.RejectedLogin},
		"a frame was replaced":                    {[]snapshot{shown("#user", "#error").docs("1", "2")}, []snapshot{shown("#user", "#error").docs("1", "3")}, utilities.RejectedLogin},
		"a frame was added":                       {[]snapshot{shown("#user", "#error").docs("1")}, []snapshot{shown("#user", "#error").docs("1", "2")}, utilities.Unknown},
		"the form stays while the site thinks":    {[]snapshot{shown("#user").docs("1")}, []snapshot{shown("#user").docs("1")}, utilities.Unknown},
		"an answer counts over an old message":    {[]snapshot{shown("#user", "#error").docs("1")}, []snapshot{shown("#user", "#error").docs("1").answered("login", 200, `{"message":"locked"}`)}, utilities.Locked},
		"a nag is in the way, however old":        {[]snapshot{shown("#user", "#later").docs("1")}, []snapshot{shown("#user", "#later").docs("1")}, utilities.Nag},
		"being signed in counts, however old":     {[]snapshot{shown().at("https://www.site.example/home").docs("1")}, []snapshot{shown().at("https://www.site.example/home").docs("1")}, utilities.SignedIn},
		"a check for robots counts, however old":  {[]snapshot{shown("#px-captcha").docs("1")}, []snapshot{shown("#px-captcha").docs("1")}, utilities.Captcha},
		"the code form appears over the old form": {[]snapshot{shown("#user").docs("1")}, []snapshot{shown("#user", "#code").docs("1")}, utilities.CodeForm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &Run{flow: f}
			for _, s := range c.before {
				v.baseline = baseline{documents: s.documents, stale: f.lingering(s)}
			}
			var last snapshot
			for _, s := range c.after {
				last = v.fresh(s)
			}
			require.Equal(t, c.want, f.recognise(last))
		})
	}
}

// TestWordsOfHelp leaves out, as long as the login form stands, what the login page said before anything was typed.
func TestWordsOfHelp(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	v := &Run{flow: f, fromStart: []utilities.PageKind{utilities.Locked}}
	help := func(s snapshot) snapshot { return s.text("account has been locked") }
	require.Equal(t, utilities.LoginForm, f.recognise(v.fresh(help(shown("#user")))))
	require.Equal(t, utilities.Locked, f.recognise(v.fresh(help(shown()))), "said where no login form stands, it is meant")
}

func TestLingeringIgnoresAnswers(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	s := shown("#user", "#error").answered("login", 200, `{"message":"locked"}`)
	require.Equal(t, map[utilities.PageKind]bool{utilities.LoginForm: true, utilities.RejectedLogin: true}, f.lingering(s))
}

func TestWhichFormStands(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	kind, entry := f.entry(shown("#code"))
	require.Equal(t, utilities.CodeForm, kind)
	require.Same(t, f.Code, entry)
	kind, entry = f.entry(shown("#code").answered("login", 200, `{"numeric":false}`))
	require.Equal(t, utilities.QuestionForm, kind)
	require.Same(t, f.Question, entry)
}

func TestAPageThatLooksTheSame(t *testing.T) {
	t.Parallel()
	base := func() snapshot { return shown("#user").docs("1") }
	moved, disabled := base(), base()
	moved.visible[utilities.Element{CSS: "#user"}] = location{Nth: 1, Enabled: true}
	disabled.visible[utilities.Element{CSS: "#user"}] = location{}
	for name, c := range map[string]struct {
		other snapshot
		same  bool
	}{
		"nothing changed": {base(), true}, "another address": {base().at("https://www.site.example/b"), false},
		"another document": {base().docs("2"), false}, "something more": {shown("#user", "#code").docs("1"), false},
		"something less": {shown().docs("1"), false}, "words": {base().text("no accounts"), false},
		"the next of its kind": {moved, false}, "enabled no more": {disabled, false},
		"an answer alone changes no face": {base().answered("login", 200, "{}"), true},
	} {
		require.Equal(t, c.same, unchanged(base(), c.other), name)
	}
}

// TestNagsArePressedAgain presses one that stays after a while, but not for ever.
func TestNagsArePressedAgain(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	f.Settle = time.Minute
	w := (&Run{flow: f}).watch(time.Hour)
	nag, s := &f.Nags[0], shown("#later")
	w.pressed[nag], w.presses = time.Now(), 1
	require.Equal(t, []*utilities.Dismissal{nag}, w.stillPressed(s), "it was pressed a moment ago")
	w.pressed[nag] = time.Now().Add(-2 * time.Minute)
	require.Empty(t, w.stillPressed(s), "it did not go: once more")
	w.pressed[nag] = time.Now()
	require.Empty(t, w.stillPressed(shown()), "it went")
	w.pressed[nag], w.presses = time.Now().Add(-2*time.Minute), mostPresses
	require.Equal(t, []*utilities.Dismissal{nag}, w.stillPressed(s), "it will never go: what lies under it is looked at")
}

func TestAPageThatNeverCameIsAnOutage(t *testing.T) {
	t.Parallel()
	w := (&Run{flow: anyFlow(t)}).watch(time.Minute)
	require.Equal(t, utilities.Unknown, w.unknown(shown()))
	require.Equal(t, utilities.Unavailable, w.unknown(snapshot{}))
	require.False(t, w.over())
	w.deadline = time.Now().Add(-time.Second)
	require.True(t, w.over())
}

// TestAfterACode says what it means when a page just stays or comes back after a code was sent off.
func TestAfterACode(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	q := backAtLogin(whenQuiet{fresh: map[utilities.PageKind]utilities.PageKind{utilities.CodeForm: utilities.RejectedCode}, late: map[utilities.PageKind]utilities.PageKind{utilities.CodeForm: utilities.RejectedCode}})
	require.Equal(t, utilities.SessionEnded, q.meaning(f, shown("#user"), false), "back at the login")
	require.Equal(t, utilities.RejectedCode, q.meaning(f, shown("#code"), false), "the form came back")
	require.Equal(t, utilities.PageKind(""), q.meaning(f, shown("#code").withStale(utilities.CodeForm), false), "it may still be on its way")
	require.Equal(t, utilities.RejectedCode, q.meaning(f, shown("#code").withStale(utilities.CodeForm), true))
	elsewhere := shown("#user")
	elsewhere.excluded = []utilities.PageKind{utilities.LoginForm}
	require.Equal(t, utilities.PageKind(""), q.meaning(f, elsewhere, true), "what cannot come of the act")
	require.Equal(t, meanings{utilities.LoginForm: utilities.SessionEnded}, backAtLogin(whenQuiet{}).fresh)
}

func TestFramesAddToThePage(t *testing.T) {
	t.Parallel()
	v := &Run{elements: []utilities.Element{{CSS: "#user"}, {CSS: "#code"}}, texts: []string{"locked", "ended"}, origins: utilities.Origins{"https://www.site.example": "http://site.localhost"}}
	s := snapshot{visible: map[utilities.Element]location{}, texts: map[string]bool{}}
	v.merge(&s, nil, frameView{URL: "http://site.localhost/login", Document: "1", Status: 200, Loaded: true, Visible: []*location{{Nth: 4}, nil}, Texts: []bool{false, false}})
	v.merge(&s, []int{2}, frameView{URL: "http://ads.localhost", Document: "2", Status: 500, Visible: []*location{nil, nil}, Texts: []bool{false, false}})
	v.merge(&s, []int{3}, frameView{Document: "3", Visible: []*location{{Nth: 9}, {Nth: 7}}, Texts: []bool{true, false}})
	require.Equal(t, snapshot{
		url: "https://www.site.example/login", status: 200, loaded: true,
		documents: []string{"1", "3"}, // a frame that shows nothing of the flow may come and go
		visible:   map[utilities.Element]location{{CSS: "#user"}: {Nth: 4}, {CSS: "#code"}: {Nth: 7, Frames: []int{3}}},
		texts:     map[string]bool{"locked": true},
	}, s)
}

func TestTellingErrorsApart(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct{ gone, transient bool }{
		"Target crashed": {true, false}, "Page closed": {true, false}, "Target page, context or browser has been closed": {true, false},
		"Execution context was destroyed, most likely because of a navigation": {false, true}, "Frame was detached": {false, true},
		"Cannot find context with specified id": {false, true}, "page is navigating": {false, true}, "net::ERR_ABORTED": {false, false},
	} {
		require.Equal(t, c.gone, isGone(errors.New(text)), text)
		require.Equal(t, c.transient, isTransient(errors.New(text)), text)
	}
	require.True(t, isGone(fmt.Errorf("x: %w", playwright.ErrTargetClosed)))
	require.True(t, isTransient(fmt.Errorf("x: %w", playwright.ErrTimeout)))
	require.True(t, isTransient(errUnresponsive))
}

func TestErrorsThatCanBeShown(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, scrub("typing", errors.New("Target crashed: fill hunter2"), "hunter2"), ErrPageGone)
	require.NotContains(t, scrub("typing", errors.New("Target crashed: fill hunter2")).Error(), "hunter2", "not even when nobody says that it is secret")
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, errUnresponsive} {
		require.ErrorIs(t, scrub("typing", fmt.Errorf("x: %w", err)), err)
	}
	v := &Run{}
	done := v.hiding("pat", "hunter2")
	require.EqualError(t, v.wrap("typing", errors.New("pat: hunter2 and hunter2")), "typing: [redacted]: [redacted] and [redacted]")
	done()
	require.EqualError(t, v.wrap("typing", errors.New("pat")), "typing: pat")
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release, called := make(chan struct{}), make(chan struct{})
	defer close(release)
	go func() { <-called; cancel() }()
	_, err := within(ctx, time.Minute, func() (int, error) { close(called); <-release; return 1, nil })
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, sleep(ctx, time.Minute), context.Canceled)
	require.NoError(t, sleep(t.Context(), time.Nanosecond))
}

// TestAnswersOfOneAct keeps what was asked before an act from being taken for what came of it.
func TestAnswersOfOneAct(t *testing.T) {
	t.Parallel()
	l := newTrafficLog(nil, nil)
	l.add(0, answer{name: "a"})
	require.Equal(t, []answer{{name: "a"}}, l.read())
	l.nextAct()
	require.Empty(t, l.read())
	l.add(0, answer{name: "late"})
	require.Empty(t, l.read(), "an answer to something asked before the act")
	l.add(1, answer{name: "b"})
	require.Equal(t, []answer{{name: "b"}}, l.read())
	require.False(t, l.busy())
	require.False(t, l.hasAnswered())
	require.False(t, l.hasCrashed())
	l.onCrash(nil)
	require.True(t, l.hasCrashed())
}

// TestWaitingForAnswers bounds how long a look waits for the answer that explains the page.
func TestWaitingForAnswers(t *testing.T) {
	t.Parallel()
	l := newTrafficLog(nil, nil)
	require.NoError(t, l.waitForBodies(t.Context()), "nothing is on its way")
	l.reading[nil] = false // asked for, not begun to arrive
	began := time.Now()
	require.NoError(t, l.waitForBodies(t.Context()))
	require.GreaterOrEqual(t, time.Since(began), unbegunWait)

	l.reading[nil] = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.waitForBodies(ctx), context.Canceled)
	arrived := make(chan error)
	go func() { arrived <- l.waitForBodies(t.Context()) }()
	l.done(nil)
	require.NoError(t, <-arrived, "it has arrived")
	require.False(t, l.hasAnswered(), "but it was nothing that this act waited for")
}
