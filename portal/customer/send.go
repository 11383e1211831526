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
func (v *visit) consent() error {
	if v.sight.page() != "consent" {
		return v.back()
	}
	if v.r.PostFormValue("agree") != "yes" {
		return v.wrong(map[string]string{"agree": "consent.missing"})
	}
	err := v.Store.SetConsent(v.r.Context(), v.request.UID,
		store.Consent{At: time.Now().UTC(), Language: v.sight.Lang, Text: consentTo(v.sight.Site.ID), LinkedAt: v.linkedAt})
	if err != nil {
		return err
	}
	v.note("consent")
	return v.back()
}

// login sends the customer's login, sealed by the client before it leaves this process.
func (v *visit) login() error {
	form, wrong := readLogin(v.r)
	if v.sight.page() != "sign_in" || form.At != v.sight.stamp() {
		return v.back() // it was made for another moment
	}
	if len(wrong) > 0 {
		return v.wrong(wrong)
	}
	return v.send("login", func(ctx context.Context) error {
		login := meterkey.Credentials{Username: form.Username, Password: form.Password}
		if v.sight.Named {
			return v.Requests.SubmitLogin(ctx, v.request.UID, login)
		}
		return v.Requests.SubmitLoginAt(ctx, v.request.UID, v.sight.Site.ID, login)
	})
}

// code sends the customer's answer to the challenge: a code, a security answer or the way to get a code.
func (v *visit) code() error {
	challenge := v.asked()
	if challenge == nil {
		return v.back()
	}
	answer, wrong := readAnswer(challenge, v.r.PostFormValue("code"))
	if wrong != "" {
		return v.wrong(map[string]string{"code": wrong})
	}
	return v.send("answer", func(ctx context.Context) error {
		return v.Requests.SubmitCode(ctx, v.request.UID, challenge.ID, answer)
	})
}

// again has the utility send another code.
func (v *visit) again() error {
	challenge := v.asked()
	if challenge == nil || !challenge.CanResend {
		return v.back()
	}
	return v.send("resend code", func(ctx context.Context) error {
		return v.Requests.ResendCode(ctx, v.request.UID, challenge.ID)
	})
}

// asked is the challenge that the form answers, nil if it is not the present one.
func (v *visit) asked() *meterkey.Challenge {
	page := v.sight.page()
	if page != "code" && page != "choice" || v.r.PostFormValue("challenge") != v.sight.challengeID() {
		return nil
	}
	return v.sight.State.Challenge
}

func (v *visit) decline() error {
	if !v.sight.Declinable() {
		return v.back()
	}
	return v.send("decline", func(ctx context.Context) error { return v.Requests.Decline(ctx, v.request.UID) })
}

// send signals the workflow and waits until it has taken it, so that the page that follows shows what came of it. Where
// that takes longer, the page says that it is on its way. Sent to a request that has just ended, it does no harm.
func (v *visit) send(what string, signal func(context.Context) error) error {
	before := v.sight.State
	err := v.signal(signal)
	if err != nil && !errors.Is(err, sdk.ErrEnded) {
		return err
	}
	v.note(what)
	bounded, cancel := context.WithTimeout(v.r.Context(), settleLimit)
	defer cancel()
	_, err = v.Requests.Wait(bounded, v.request.UID, func(s meterkey.State) bool { return changed(before, s) })
	v.sight.Sent = errors.Is(err, context.DeadlineExceeded)
	return v.back()
}

// signal sends what has arrived here, even when the customer does not wait for the answer.
func (v *visit) signal(send func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), signalLimit)
	defer cancel()
	return send(ctx)
}

// changed tells whether anything has happened to a request since.
func changed(before, now meterkey.State) bool {
	return now.Revision != before.Revision || !now.LinkedAt.Equal(before.LinkedAt)
}

// note writes one line for what the customer did.
func (v *visit) note(what string) {
	v.Log.Info("customer", zap.String("request_id", v.request.UID), zap.String("did", what))
}
