// Package flow follows a utility's file through a browser page: it acts, then sees which of the known pages appeared first.
//
// A Run belongs to one page and one utility. What it does on the page is in signin.go, challenge.go and meters.go; how it tells
// what came of that in await.go and recognise.go. Workers alone import this package: it drives a browser.
package flow

import (
	"context"
	"errors"
	"time"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

const (
	pollInterval = 120 * time.Millisecond // between two looks at a page
	callWait     = 10 * time.Second       // for one call to the driver
	clickWait    = 5 * time.Second        // for something to let itself be pressed
	typeWait     = 45 * time.Second       // for a text to be typed, key by key
)

// ErrNotOffered is returned by ResendCode when the page offers no way to send the code again, and by Choose when it does not offer
// the option.
var ErrNotOffered = errors.New("the page does not offer this")

// ErrPageGone is wrapped by every error that comes from a closed or crashed page.
var ErrPageGone = errors.New("the page is gone")

// Observation is what a run saw after an act.
type Observation struct {
	Page      utilities.PageKind
	Challenge *meterkey.Challenge // what the site asks, on code_form, question_form, choice_form and rejected_code; personal data is masked
	Typed     bool                // whether the password has been typed by this run
	Evidence  *Evidence           // on unknown, and wherever the page's own words were not recognised
}

// Evidence is what an operator needs to mend a utility's file after its site changed. It holds no input values.
type Evidence struct {
	URL        string // without query and fragment
	Screenshot []byte // PNG, every input masked; nil when none could be taken
	Outline    string // headings, fields and buttons of the page, one a line
}

// stop is the page that stands in the way of an act. Within this package it is an error; callers get the Observation.
type stop struct{ Observation }

func (s *stop) Error() string { return "stopped at " + string(s.Page) }

// stoppedAt returns the page at which an act stopped; any other error stays one.
func stoppedAt(err error) (Observation, error) {
	var at *stop
	if errors.As(err, &at) {
		return at.Observation, nil
	}
	return Observation{}, err
}

// endedAtLogin takes a login form that stands in the way for what it means to somebody who is signed in: the session has ended.
func endedAtLogin(err error) error {
	var at *stop
	if errors.As(err, &at) && at.Page == utilities.LoginForm {
		at.Page = utilities.SessionEnded
	}
	return err
}

// Options are a run's surroundings. The zero value works.
type Options struct {
	Origins utilities.Origins
	Log     *zap.Logger
	// BeginOnce is called right before something that must happen at most once: with "login" before the password is typed, with
	// the code's step name before a code is. An error stops the run before anything is typed and is returned wrapped.
	BeginOnce func(step string) error
}

// Run follows one utility's flow through one page. Its methods must not be called at the same time, and only one run may act in a
// page at a time; others may Look and Glance.
type Run struct {
	utility   *utilities.Utility
	flow      recogniser
	page      func() playwright.Page
	origins   utilities.Origins
	log       *zap.Logger
	beginOnce func(step string) error
	traffic   *trafficLog
	elements  []utilities.Element // what each look at a page looks for
	texts     []string            // likewise
	acting    bool                // the traffic is listened to
	typed     bool
	baseline  baseline
	excluded  []utilities.PageKind // what cannot come of the latest act
	fromStart []utilities.PageKind // whose signs stand on the login page from the start, as words of help do
	secrets   []string             // what must not show in errors and evidence while a call lasts
}

// New prepares to follow a utility's flow; nothing is done on the page yet. page is asked each time, since a site may go on in a
// popup.
func New(u *utilities.Utility, page func() playwright.Page, o Options) *Run {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.BeginOnce == nil {
		o.BeginOnce = func(string) error { return nil }
	}
	elements, texts := lookedFor(&u.Flow)
	return &Run{
		utility: u, flow: recogniser{&u.Flow}, page: page, origins: o.Origins, log: o.Log, beginOnce: o.BeginOnce,
		traffic: newTrafficLog(u.Flow.Answers, o.Origins), elements: elements, texts: texts,
	}
}

// Close detaches the run's listeners; the page stays as it is.
func (r *Run) Close() { r.traffic.listen(nil) }

// current is the page to work on, listened to once the run acts.
func (r *Run) current() (playwright.Page, error) {
	page := r.page()
	if page == nil || page.IsClosed() || r.traffic.hasCrashed() {
		return nil, ErrPageGone
	}
	if r.acting {
		r.traffic.listen(page)
	}
	return page, nil
}

// hiding keeps secrets out of errors and evidence until the returned function is called.
func (r *Run) hiding(secrets ...string) func() {
	r.secrets = secrets
	return func() { r.secrets = nil }
}

func (r *Run) wrap(doing string, err error) error { return scrub(doing, err, r.secrets...) }

// sleep waits a moment.
func sleep(ctx context.Context, moment time.Duration) error {
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
