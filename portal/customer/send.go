package customer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
)

// consent keeps that the customer agreed, and goes on to the sign-in.
func (p *pageRequest) consent() error {
	if p.model.page() != "consent" {
		return p.back()
	}
	if p.r.PostFormValue("agree") != "yes" {
		return p.wrong(map[string]string{"agree": "consent.missing"})
	}
	err := p.Store.SetConsent(p.r.Context(), p.request.UID,
		store.Consent{At: time.Now().UTC(), Language: p.model.Lang, Text: consentTo(p.model.Site.ID), LinkedAt: p.linkedAt})
	if err != nil {
		return err
	}
	p.note("consent")
	return p.back()
}

// login sends the customer's login, sealed by the client before it leaves this process.
func (p *pageRequest) login() error {
	form, wrong := readLogin(p.r)
	if p.model.page() != "sign_in" || form.At != p.model.stamp() {
		return p.back() // it was made for another moment
	}
	if len(wrong) > 0 {
		return p.wrong(wrong)
	}
	return p.submit("login", func(ctx context.Context) error {
		login, utility := meterkey.Credentials{Username: form.Username, Password: form.Password}, ""
		if !p.model.Named {
			utility = p.model.Site.ID
		}
		_, err := p.Requests.SubmitLoginAt(ctx, p.request.UID, utility, login)
		return err
	})
}

// code sends the customer's answer to the challenge: a code, a security answer or the way to get a code.
func (p *pageRequest) code() error {
	challenge := p.asked()
	if challenge == nil {
		return p.back()
	}
	answer, wrong := readAnswer(challenge, p.r.PostFormValue("code"))
	if wrong != "" {
		return p.wrong(map[string]string{"code": wrong})
	}
	answerBy := p.Requests.SubmitCode
	if challenge.Kind == meterkey.MethodChoice {
		answerBy = p.Requests.Choose
	}
	return p.submit("answer", func(ctx context.Context) error {
		_, err := answerBy(ctx, p.request.UID, challenge.ID, answer)
		return err
	})
}

// again has the utility send another code.
func (p *pageRequest) again() error {
	challenge := p.asked()
	if challenge == nil || !challenge.CanResend {
		return p.back()
	}
	return p.signal("resend code", func(ctx context.Context) error {
		return p.Requests.ResendCode(ctx, p.request.UID, challenge.ID)
	})
}

// asked is the challenge that the form answers, nil if it is not the present one.
func (p *pageRequest) asked() *meterkey.Challenge {
	page := p.model.page()
	if page != "code" && page != "choice" || p.r.PostFormValue("challenge") != p.model.challengeID() {
		return nil
	}
	return p.model.State.Challenge
}

func (p *pageRequest) decline() error {
	if !p.model.Declinable() {
		return p.back()
	}
	return p.signal("decline", func(ctx context.Context) error { return p.Requests.Decline(ctx, p.request.UID) })
}

// submit sends what the workflow answers at once, so that the page that follows shows what came of it. Where no worker
// answers, it is kept for the one that comes, and the page says that it is on its way. What is not awaited any more does no
// harm: the page shows where the request stands now.
func (p *pageRequest) submit(what string, send func(context.Context) error) error {
	err := p.sendAnyway(send)
	p.model.Sent = errors.Is(err, sdk.ErrNoWorker)
	if err == nil || p.model.Sent {
		p.note(what)
	}
	return p.backAfter(err)
}

// signal sends what the workflow takes in without an answer, and waits until it has. Where that takes long, the page says
// that it is on its way.
func (p *pageRequest) signal(what string, send func(context.Context) error) error {
	if err := p.sendAnyway(send); err != nil {
		return p.backAfter(err)
	}
	p.note(what)
	before := p.model.State
	bounded, cancel := context.WithTimeout(p.r.Context(), signalTimeout)
	defer cancel()
	_, err := p.Requests.Wait(bounded, p.request.UID, before.Differs)
	p.model.Sent = errors.Is(err, context.DeadlineExceeded)
	return p.back()
}

// sendAnyway sends what has arrived here, even when the customer does not wait for the answer.
func (p *pageRequest) sendAnyway(send func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.r.Context()), sendTimeout)
	defer cancel()
	return send(ctx)
}

// backAfter leads back to the page unless what was sent is lost.
func (p *pageRequest) backAfter(err error) error {
	switch {
	case err == nil, errors.Is(err, sdk.ErrNoWorker), errors.Is(err, sdk.ErrNotAwaited), errors.Is(err, sdk.ErrEnded), errors.Is(err, sdk.ErrNotFound):
		return p.back()
	}
	return err
}

// note writes one line for what the customer did.
func (p *pageRequest) note(what string) {
	p.Log.Info("customer", zap.String("request_id", p.request.UID), zap.String("did", what))
}
