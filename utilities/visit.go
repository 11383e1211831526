package utilities

import (
	"context"
	"errors"
	"time"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"
)

const (
	poll      = 120 * time.Millisecond // between two looks at a page
	callWait  = 10 * time.Second       // for one call to the driver
	clickWait = 5 * time.Second        // for something to let itself be pressed
)

// ErrNotOffered is returned by SendAgain when the page offers no way to send the code again, and by Choose when it does not offer
// the option.
var ErrNotOffered = errors.New("the page does not offer this")

// ErrPageGone is wrapped by every error that comes from a closed or crashed page.
var ErrPageGone = errors.New("the page is gone")

// VisitOptions are a visit's surroundings. The zero value works.
type VisitOptions struct {
	Origins Origins
	Log     *zap.Logger
	// Once is called right before something that must happen at most once: with "login" before the password is typed, with the
	// code's step name before a code is. An error stops the visit before anything is typed and is returned wrapped.
	Once func(step string) error
}

// Visit follows one utility's flow through one page: it acts, then sees which of the known pages appeared first. Its methods must
// not be called at the same time, and only one visit may act in a page at a time; others may Look and Glance.
type Visit struct {
	utility *Utility
	flow    *Flow
	page    func() playwright.Page
	origins Origins
	log     *zap.Logger
	once    func(step string) error
	wire    *wire
	acting  bool // listens to the wire
	typed   bool
	before  before
	beside  []PageKind // what cannot come of the latest act
	static  []PageKind // whose signs stand on the login page from the start, as words of help do
	secrets []string   // what must not show in errors and evidence while a call lasts
}

// Visit starts following the flow. page is asked each time, since a site may go on in a popup.
func (u *Utility) Visit(page func() playwright.Page, o VisitOptions) *Visit {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Once == nil {
		o.Once = func(string) error { return nil }
	}
	return &Visit{
		utility: u, flow: &u.Flow, page: page, origins: o.Origins, log: o.Log, once: o.Once,
		wire: newWire(u.Flow.Answers, o.Origins),
	}
}

// Close detaches the visit's listeners; the page stays as it is.
func (v *Visit) Close() { v.wire.listen(nil) }

// current is the page to work on, listened to once the visit acts.
func (v *Visit) current() (playwright.Page, error) {
	page := v.page()
	if page == nil || page.IsClosed() || v.wire.gone() {
		return nil, ErrPageGone
	}
	if v.acting {
		v.wire.listen(page)
	}
	return page, nil
}

// keeping hides secrets from errors and evidence until the returned function is called.
func (v *Visit) keeping(secrets ...string) func() {
	v.secrets = secrets
	return func() { v.secrets = nil }
}

func (v *Visit) fault(doing string, err error) error { return scrubbed(doing, err, v.secrets...) }

// tick waits a moment.
func tick(ctx context.Context, moment time.Duration) error {
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
