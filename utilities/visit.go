package utilities

import (
	"context"
	"errors"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"
)

// ErrNotOffered is returned by SendAgain when the page offers no way to send the code again.
var ErrNotOffered = errors.New("the page does not offer to send the code again")

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

// Visit follows one utility's flow through one page. Its methods must not be called at the same time.
type Visit struct{}

// Visit starts following the flow. page is asked each time, since a site may go on in a popup.
func (u *Utility) Visit(page func() playwright.Page, o VisitOptions) *Visit { return &Visit{} }

// Close detaches the visit's listeners; the page stays as it is.
func (v *Visit) Close() {}

// SignIn opens the login page, types the login and returns the first page it recognises after. A site that is down is a Sight
// (unavailable), and Typed tells whether the password went in before; errors are our own faults only.
func (v *Visit) SignIn(ctx context.Context, c Credentials) (Sight, error) { return Sight{}, errNotBuilt }

// Look reads the page as it stands. It dismisses nags and does nothing else.
func (v *Visit) Look(ctx context.Context) (Sight, error) { return Sight{}, errNotBuilt }

// Glance is one cheap look, for watching a window that waits: code_form, question_form or choice_form while the challenge
// stands, session_ended when the site ended the session or showed its login form again.
func (v *Visit) Glance(ctx context.Context) (PageKind, error) { return Unknown, errNotBuilt }

// Choose picks one of a choice form's options.
func (v *Visit) Choose(ctx context.Context, optionID string) (Sight, error) {
	return Sight{}, errNotBuilt
}

// SubmitCode types a code or a security answer, after calling Once with the given step.
func (v *Visit) SubmitCode(ctx context.Context, code, step string) (Sight, error) {
	return Sight{}, errNotBuilt
}

// SendAgain presses the site's own "send again", or returns ErrNotOffered.
func (v *Visit) SendAgain(ctx context.Context) (Sight, error) { return Sight{}, errNotBuilt }

// Meters reads the meter list: all accounts, all pages. An empty list is a legitimate result. The Sight is signed_in when the list
// was read; anything else says why it was not.
func (v *Visit) Meters(ctx context.Context) ([]Meter, Sight, error) { return nil, Sight{}, errNotBuilt }

// Probe opens the login page and says which of the file's login fields stand on it. It types nothing.
func (u *Utility) Probe(ctx context.Context, page playwright.Page, origins Origins) ([]FieldFound, error) {
	return nil, errNotBuilt
}
