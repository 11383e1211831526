package customer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

const (
	// stateTimeout bounds asking the workflow where it stands; after that the store has to do.
	stateTimeout = 3 * time.Second
	// sendTimeout bounds sending what the customer did.
	sendTimeout = 10 * time.Second
	// signalTimeout bounds waiting until the workflow has taken a signal.
	signalTimeout = 3 * time.Second
)

// errReplaced tells that a newer link was sent.
var errReplaced = errors.New("a newer link was sent")

// errClosed tells that the requester has closed the request.
var errClosed = errors.New("the requester closed the request")

// pageRequest is one HTTP request by a customer with a genuine link.
type pageRequest struct {
	*Handler
	w http.ResponseWriter
	r *http.Request
	// token is the link's, and linkedAt when it was sent.
	token    string
	linkedAt time.Time
	request  store.Request
	model    pageModel
}

// current lets a handler act on a genuine link that counts still, once it is known where the request stands, and shows a
// page about what is wrong otherwise.
func (h *Handler) current(act func(*pageRequest) error) http.Handler {
	return h.linked(func(p *pageRequest) error {
		if err := p.loadState(p.r.Context()); err != nil {
			return err
		}
		return act(p)
	}, (*pageRequest).fail)
}

// linked lets a handler act on a genuine link to a stored request, and another one fail otherwise.
func (h *Handler) linked(act func(*pageRequest) error, fail func(*pageRequest, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		p := &pageRequest{Handler: h, w: w, r: r, token: r.PathValue("token")}
		p.model = pageModel{localizer: h.words.forRequest(r), Base: Prefix + p.token, Live: true}
		id, linkedAt, ok := h.Key.ReadLinkToken(p.token)
		if !ok {
			h.missing(w, r)
			return
		}
		p.linkedAt, p.request.UID = linkedAt, id
		err := p.loadRequest(r.Context())
		if err == nil {
			err = act(p)
		}
		if err != nil {
			fail(p, err)
		}
	})
}

// fail shows what went wrong.
func (p *pageRequest) fail(err error) {
	say := p.model.localizer
	switch dead := deadLink(err); {
	case p.r.Context().Err() != nil: // the customer has gone, so nobody is to be told
	case errors.Is(err, store.ErrNotFound), errors.Is(err, sdk.ErrNotFound):
		p.missing(p.w, p.r)
	case dead != "":
		p.problem(p.w, http.StatusGone, say, dead, "", "Requester", p.model.Requester)
	default:
		p.Log.Error("customer's page", zap.String("request_id", p.request.UID), zap.Error(err))
		p.problem(p.w, http.StatusInternalServerError, say, "trouble", p.model.Base)
	}
}

// deadLink names the messages for a genuine link that counts no more; "" if that is not the error.
func deadLink(err error) string {
	switch {
	case errors.Is(err, errReplaced):
		return "replaced"
	case errors.Is(err, errClosed):
		return "closed"
	}
	return ""
}

// loadRequest reads what is stored of the request. errClosed when its requester has closed it.
func (p *pageRequest) loadRequest(ctx context.Context) error {
	stored, err := p.Store.RequestByID(ctx, p.request.UID)
	if err != nil {
		return err
	}
	requester, err := p.Store.Requester(ctx, stored.RequesterUID)
	if err != nil {
		return err
	}
	p.request = stored
	p.model.Requester = cmp.Or(requester.Name, requester.UID)
	if p.request.Disabled {
		return errClosed
	}
	return nil
}

// loadState makes the page show where the request stands now.
func (p *pageRequest) loadState(ctx context.Context) error {
	state, behind, err := p.askState(ctx)
	if err != nil {
		return err
	}
	p.model.Behind = behind
	return p.setState(ctx, state)
}

// askState asks the workflow where it stands. Where no worker answers, behind is true and the state is what was stored
// last; where an operator terminated or deleted the request's run, it is the end of what was stored.
func (p *pageRequest) askState(ctx context.Context) (s meterkey.State, behind bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	s, err = p.Requests.State(bounded, p.request.UID)
	ended := errors.Is(err, sdk.ErrNotFound) || s.Reason == meterkey.Terminated
	switch {
	case ctx.Err() != nil || err == nil && !ended:
		return s, false, err
	case p.request.Status == "" && err != nil:
		return s, false, fmt.Errorf("nothing is stored yet: %w", err)
	case p.request.Status == "":
		return s, false, nil
	}
	at := s.Since
	s, err = p.storedState(ctx)
	if ended {
		s = s.TerminatedAt(cmp.Or(at, s.Since))
	}
	return s, !ended, err
}

// storedState is the state as it was projected last.
func (p *pageRequest) storedState(ctx context.Context) (meterkey.State, error) {
	q := p.request
	s := q.State()
	if q.Status != meterkey.Connected || q.AuthorizationUID == "" {
		return s, nil
	}
	meters, err := p.Store.AllMeters(ctx, q.RequesterUID, q.AuthorizationUID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s, err
	}
	for _, m := range meters {
		s.Meters = append(s.Meters, meterkey.Meter{ServiceAddress: m.ServiceAddress})
	}
	return s, nil
}

// setState makes the page show this state. errReplaced when the link counts no more.
func (p *pageRequest) setState(ctx context.Context, state meterkey.State) error {
	if !state.LinkedAt.Equal(p.linkedAt) {
		return errReplaced
	}
	m, q := &p.model, p.r.URL.Query()
	m.Now, m.State, m.MeterCount = time.Now(), state, len(state.Meters)
	m.Named = p.request.Utility != ""
	m.Expires = expires(p.request.Scope)
	m.Site = p.site(q.Get("utility"))
	m.Consented = m.Site != nil && p.consented(m.Site.ID)
	m.Choosing = !m.Named && (q.Has("choose") || q.Has("q"))
	m.Query = q.Get("q")
	m.Found = search(choices(p.Utilities, p.request.IsTest), p.Utilities, m.Query)
	m.Sent = q.Get("sent") == m.version()
	return ctx.Err()
}

// consented tells whether the customer agreed to this utility, in the words of today, under this link: whoever
// declined, or was asked again, agrees anew.
func (p *pageRequest) consented(utility string) bool {
	c := p.request.Consent
	return c != nil && c.Text == consentTo(utility) && c.LinkedAt.Equal(p.linkedAt)
}

// site is the utility that the requester named, or else the one that the customer chose: in this page's address, or when
// signing in before.
func (p *pageRequest) site(chosen string) *utilities.Utility {
	if p.model.Named {
		return p.named(p.request.Utility)
	}
	offered := choices(p.Utilities, p.request.IsTest)
	for _, id := range []string{chosen, p.model.State.Utility} {
		for _, u := range offered {
			if u.ID == id {
				return u
			}
		}
	}
	return nil
}

// named finds a utility; of one that nobody knows, the request knows the name at least, and will end with the reason.
func (p *pageRequest) named(id string) *utilities.Utility {
	u, err := p.Utilities.Find(id)
	if err != nil {
		return &utilities.Utility{ID: id, Name: id}
	}
	return u
}

func expires(scope store.Scope) *time.Time {
	t, err := time.Parse(time.RFC3339, scope.Expires)
	if err != nil {
		return nil // a preset: until it is withdrawn
	}
	return &t
}

// write answers with the page.
func (p *pageRequest) write(status int) error {
	name, page, err := p.model.draw()
	if err != nil {
		return err
	}
	return p.pages.Write(p.w, status, name, page)
}

// wrong shows the page again, with what is wrong with each field that was not filled in well.
func (p *pageRequest) wrong(fields map[string]string) error {
	p.model.Wrong = fields
	return p.write(http.StatusUnprocessableEntity)
}

// back leads to the present page by a new request, so that loading it again sends nothing.
func (p *pageRequest) back() error {
	http.Redirect(p.w, p.r, p.model.Address(""), http.StatusSeeOther)
	return nil
}
