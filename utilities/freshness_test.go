package utilities

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// docs says which documents make up the page.
func (s Snapshot) docs(ids ...string) Snapshot { s.Docs = ids; return s }

// TestOldEvidence follows the signs on a page from before an act to after it.
func TestOldEvidence(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	for name, c := range map[string]struct {
		before, after []Snapshot // in the order of the looks
		want          PageKind
	}{
		"the message of the try before stays":     {[]Snapshot{shown("#user", "#error").docs("1")}, []Snapshot{shown("#user", "#error").docs("1")}, Unknown},
		"a message appears":                       {[]Snapshot{shown("#user").docs("1")}, []Snapshot{shown("#user", "#error").docs("1")}, RejectedLogin},
		"the same message on a new document":      {[]Snapshot{shown("#user", "#error").docs("1")}, []Snapshot{shown("#user", "#error").docs("2")}, RejectedLogin},
		"the message went and came again":         {[]Snapshot{shown("#user", "#error").docs("1")}, []Snapshot{shown("#user").docs("1"), shown("#user", "#error").docs("1")}, RejectedLogin},
		"a frame was replaced":                    {[]Snapshot{shown("#user", "#error").docs("1", "2")}, []Snapshot{shown("#user", "#error").docs("1", "3")}, RejectedLogin},
		"a frame was added":                       {[]Snapshot{shown("#user", "#error").docs("1")}, []Snapshot{shown("#user", "#error").docs("1", "2")}, Unknown},
		"the form stays while the site thinks":    {[]Snapshot{shown("#user").docs("1")}, []Snapshot{shown("#user").docs("1")}, Unknown},
		"an answer counts over an old message":    {[]Snapshot{shown("#user", "#error").docs("1")}, []Snapshot{shown("#user", "#error").docs("1").answered("login", 200, `{"message":"locked"}`)}, Locked},
		"a nag is in the way, however old":        {[]Snapshot{shown("#user", "#later").docs("1")}, []Snapshot{shown("#user", "#later").docs("1")}, Nag},
		"being signed in counts, however old":     {[]Snapshot{shown().at("https://www.site.example/home").docs("1")}, []Snapshot{shown().at("https://www.site.example/home").docs("1")}, SignedIn},
		"a check for robots counts, however old":  {[]Snapshot{shown("#px-captcha").docs("1")}, []Snapshot{shown("#px-captcha").docs("1")}, Captcha},
		"the code form appears over the old form": {[]Snapshot{shown("#user").docs("1")}, []Snapshot{shown("#user", "#code").docs("1")}, CodeForm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &Visit{flow: f}
			for _, s := range c.before {
				v.before = before{docs: s.Docs, stale: f.standing(s)}
			}
			var last Snapshot
			for _, s := range c.after {
				last = v.fresh(s)
			}
			require.Equal(t, c.want, recognise(f, last))
		})
	}
}

// TestWordsOfHelp leaves out, as long as the login form stands, what the login page said before anything was typed.
func TestWordsOfHelp(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	v := &Visit{flow: f, static: []PageKind{Locked}}
	help := func(s Snapshot) Snapshot { return s.text("account has been locked") }
	require.Equal(t, LoginForm, recognise(f, v.fresh(help(shown("#user")))))
	require.Equal(t, Locked, recognise(f, v.fresh(help(shown()))), "said where no login form stands, it is meant")
}

func TestStandingIgnoresAnswers(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	s := shown("#user", "#error").answered("login", 200, `{"message":"locked"}`)
	require.Equal(t, map[PageKind]bool{LoginForm: true, RejectedLogin: true}, f.standing(s))
}

func TestWhichFormStands(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	v := &Visit{flow: f}
	kind, entry := v.entryIn(shown("#code"))
	require.Equal(t, CodeForm, kind)
	require.Same(t, f.Code, entry)
	kind, entry = v.entryIn(shown("#code").answered("login", 200, `{"numeric":false}`))
	require.Equal(t, QuestionForm, kind)
	require.Same(t, f.Question, entry)
}

func TestAPageThatLooksTheSame(t *testing.T) {
	t.Parallel()
	base := func() Snapshot { return shown("#user").docs("1") }
	moved, disabled := base(), base()
	moved.Seen[Element{CSS: "#user"}] = Spot{Nth: 1, Enabled: true}
	disabled.Seen[Element{CSS: "#user"}] = Spot{}
	for name, c := range map[string]struct {
		other Snapshot
		same  bool
	}{
		"nothing changed": {base(), true}, "another address": {base().at("https://www.site.example/b"), false},
		"another document": {base().docs("2"), false}, "something more": {shown("#user", "#code").docs("1"), false},
		"something less": {shown().docs("1"), false}, "words": {base().text("no accounts"), false},
		"the next of its kind": {moved, false}, "enabled no more": {disabled, false},
		"an answer alone changes no face": {base().answered("login", 200, "{}"), true},
	} {
		require.Equal(t, c.same, sameFace(base(), c.other), name)
	}
}

// TestNagsArePressedAgain presses one that stays after a while, but not for ever.
func TestNagsArePressedAgain(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	f.Settle = time.Minute
	w := (&Visit{flow: f}).watch(time.Hour)
	nag, s := &f.Nags[0], shown("#later")
	w.pressed[nag], w.presses = time.Now(), 1
	require.Equal(t, []*Dismissal{nag}, w.stillPressed(s), "it was pressed a moment ago")
	w.pressed[nag] = time.Now().Add(-2 * time.Minute)
	require.Empty(t, w.stillPressed(s), "it did not go: once more")
	w.pressed[nag] = time.Now()
	require.Empty(t, w.stillPressed(shown()), "it went")
	w.pressed[nag], w.presses = time.Now().Add(-2*time.Minute), mostPresses
	require.Equal(t, []*Dismissal{nag}, w.stillPressed(s), "it will never go: what lies under it is looked at")
}

func TestAPageThatNeverCameIsAnOutage(t *testing.T) {
	t.Parallel()
	w := (&Visit{flow: anyFlow(t)}).watch(time.Minute)
	require.Equal(t, Unknown, w.unknown(shown()))
	require.Equal(t, Unavailable, w.unknown(Snapshot{}))
	require.False(t, w.over())
	w.deadline = time.Now().Add(-time.Second)
	require.True(t, w.over())
}

// TestAfterACode says what it means when a page just stays or comes back after a code was sent off.
func TestAfterACode(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	d := backAtLogin(doubts{fresh: map[PageKind]PageKind{CodeForm: RejectedCode}, late: map[PageKind]PageKind{CodeForm: RejectedCode}})
	require.Equal(t, SessionEnded, d.settled(f, shown("#user"), false), "back at the login")
	require.Equal(t, RejectedCode, d.settled(f, shown("#code"), false), "the form came back")
	require.Equal(t, PageKind(""), d.settled(f, shown("#code").stale(CodeForm), false), "it may still be on its way")
	require.Equal(t, RejectedCode, d.settled(f, shown("#code").stale(CodeForm), true))
	beside := shown("#user")
	beside.Beside = []PageKind{LoginForm}
	require.Equal(t, PageKind(""), d.settled(f, beside, true), "what cannot come of the act")
	require.Equal(t, map[PageKind]PageKind{LoginForm: SessionEnded}, backAtLogin(doubts{}).fresh)
}

func TestFramesAddToThePage(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	f.wanted, f.texts = []Element{{CSS: "#user"}, {CSS: "#code"}}, []string{"locked", "ended"}
	v := &Visit{flow: f, origins: Origins{"https://www.site.example": "http://site.localhost"}}
	s := Snapshot{Seen: map[Element]Spot{}, Says: map[string]bool{}}
	v.merge(&s, nil, glimpse{URL: "http://site.localhost/login", Doc: "1", Status: 200, Loaded: true, Seen: []*Spot{{Nth: 4}, nil}, Says: []bool{false, false}})
	v.merge(&s, []int{2}, glimpse{URL: "http://ads.localhost", Doc: "2", Status: 500, Seen: []*Spot{nil, nil}, Says: []bool{false, false}})
	v.merge(&s, []int{3}, glimpse{Doc: "3", Seen: []*Spot{{Nth: 9}, {Nth: 7}}, Says: []bool{true, false}})
	require.Equal(t, Snapshot{
		URL: "https://www.site.example/login", Status: 200, Loaded: true,
		Docs: []string{"1", "3"}, // a frame that shows nothing of the flow may come and go
		Seen: map[Element]Spot{{CSS: "#user"}: {Nth: 4}, {CSS: "#code"}: {Nth: 7, Frames: []int{3}}},
		Says: map[string]bool{"locked": true},
	}, s)
}

func TestTellingErrorsApart(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct{ gone, passing bool }{
		"Target crashed": {true, false}, "Page closed": {true, false}, "Target page, context or browser has been closed": {true, false},
		"Execution context was destroyed, most likely because of a navigation": {false, true}, "Frame was detached": {false, true},
		"Cannot find context with specified id": {false, true}, "page is navigating": {false, true}, "net::ERR_ABORTED": {false, false},
	} {
		require.Equal(t, c.gone, isGone(errors.New(text)), text)
		require.Equal(t, c.passing, isPassing(errors.New(text)), text)
	}
	require.True(t, isGone(fmt.Errorf("x: %w", playwright.ErrTargetClosed)))
	require.True(t, isPassing(fmt.Errorf("x: %w", playwright.ErrTimeout)))
	require.True(t, isPassing(errBusy))
}

func TestErrorsThatCanBeShown(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, scrubbed("typing", errors.New("Target crashed: fill hunter2"), "hunter2"), ErrPageGone)
	require.NotContains(t, scrubbed("typing", errors.New("Target crashed: fill hunter2")).Error(), "hunter2", "not even when nobody says that it is secret")
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, errBusy} {
		require.ErrorIs(t, scrubbed("typing", fmt.Errorf("x: %w", err)), err)
	}
	v := &Visit{}
	done := v.keeping("pat", "hunter2")
	require.EqualError(t, v.fault("typing", errors.New("pat: hunter2 and hunter2")), "typing: [redacted]: [redacted] and [redacted]")
	done()
	require.EqualError(t, v.fault("typing", errors.New("pat")), "typing: pat")
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release, called := make(chan struct{}), make(chan struct{})
	defer close(release)
	go func() { <-called; cancel() }()
	_, err := within(ctx, time.Minute, func() (int, error) { close(called); <-release; return 1, nil })
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, tick(ctx, time.Minute), context.Canceled)
	require.NoError(t, tick(t.Context(), time.Nanosecond))
}

// TestAnswersOfOneTurn keeps what was asked before an act from being taken for what came of it.
func TestAnswersOfOneTurn(t *testing.T) {
	t.Parallel()
	w := newWire(nil, nil)
	w.keep(0, Received{Name: "a"})
	require.Equal(t, []Received{{Name: "a"}}, w.answers())
	w.nextTurn()
	require.Empty(t, w.answers())
	w.keep(0, Received{Name: "late"})
	require.Empty(t, w.answers(), "an answer to something asked before the act")
	w.keep(1, Received{Name: "b"})
	require.Equal(t, []Received{{Name: "b"}}, w.answers())
	require.False(t, w.busy())
	require.False(t, w.heard())
	require.False(t, w.gone())
	w.onCrash(nil)
	require.True(t, w.gone())
}

// TestWaitingForAnswers bounds how long a look waits for the answer that explains the page.
func TestWaitingForAnswers(t *testing.T) {
	t.Parallel()
	w := newWire(nil, nil)
	require.NoError(t, w.catchUp(t.Context()), "nothing is on its way")
	w.named[nil] = false // asked for, not begun to arrive
	began := time.Now()
	require.NoError(t, w.catchUp(t.Context()))
	require.GreaterOrEqual(t, time.Since(began), unbegunWait)

	w.named[nil] = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.catchUp(ctx), context.Canceled)
	arrived := make(chan error)
	go func() { arrived <- w.catchUp(t.Context()) }()
	w.done(nil)
	require.NoError(t, <-arrived, "it has arrived")
	require.False(t, w.heard(), "but it was nothing that this turn waited for")
}
