package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
)

// MFA says where a data request stands and what the customer is asked for, so that a requester can build its own code
// page. Fields that do not apply are empty.
type MFA struct {
	Status      string         `json:"status" enum:"awaiting_login,signing_in,awaiting_choice,awaiting_code,submitting_code,awaiting_mfa_off,fetching_meters"`
	Kind        string         `json:"kind" enum:",number_code,security_answer,method_choice" doc:"What is asked for; empty while nothing is."`
	Prompt      string         `json:"prompt" doc:"The utility's own words."`
	SentTo      string         `json:"sent_to" doc:"The masked phone or address that the code went to."`
	Options     []Option       `json:"options" nullable:"false" doc:"What to choose from (method_choice): send back the id of one as the code."`
	Digits      int            `json:"digits" doc:"How many digits the code has; 0 if the utility does not say."`
	ExpiresAt   Optional[Time] `json:"expires_at" doc:"When the utility's window closes."`
	TriesLeft   int            `json:"tries_left"`
	CanResend   bool           `json:"can_resend" doc:"The utility can send the code again."`
	ChallengeID *string        `json:"challenge_id" doc:"Changes with each question; an answer names the one it is for."`
	URL         string         `json:"url" doc:"The customer's page, where all of this can be done as well."`
	WhoMustAct  string         `json:"who_must_act" enum:"customer,utility,requester,operator,nobody"`
	Reason      string         `json:"reason" doc:"Why the customer was sent back; empty if nothing went wrong."`
	Message     string         `json:"message" doc:"What to tell the customer."`
}

// Option is one way of receiving a code.
type Option struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Target string `json:"target" doc:"The masked phone or address."`
}

// CodeAnswer is the customer's answer to a challenge.
type CodeAnswer struct {
	ChallengeID string `json:"challenge_id" minLength:"1" maxLength:"64"`
	Code        string `json:"code" minLength:"1" maxLength:"200" doc:"The code, the security answer, or the id of the chosen option."`

	_ struct{} `additionalProperties:"true"`
}

// CodeResend names the challenge whose code is to be sent again.
type CodeResend struct {
	ChallengeID *string `json:"challenge_id" required:"false" maxLength:"64" doc:"The present one if left out."`

	_ struct{} `additionalProperties:"true"`
}

type codeInput struct {
	ByUID
	Body Fields[CodeAnswer]
}

type resendCodeInput struct {
	ByUID
	Body *Fields[CodeResend]
}

func (a *API) registerMFA() {
	op := func(id, path, summary, description string) huma.Operation {
		return conflicting(huma.Operation{OperationID: id, Method: http.MethodPost, Path: "/authorizations/{uid}/" + path, Summary: summary,
			Description: description, Tags: []string{"Authorizations"}})
	}
	register(a, op("submit-code", "code", "Answer the utility's question",
		"For code pages of your own. The answer shows the authorization as it is once the code was taken; whether the utility accepts it shows a few seconds later."), a.submitCode)
	register(a, op("resend-code", "resend-code", "Have the utility send the code again", ""), a.resendCode)
}

func (a *API) submitCode(ctx context.Context, in *codeInput) (*answer[Authorization], error) {
	q, err := a.question(ctx, in.UID, in.Body.Value.ChallengeID)
	if err != nil {
		return nil, err
	}
	code := strings.TrimSpace(in.Body.Value.Code)
	if code == "" { // the utility would count it as a try
		return nil, wrongField("code", "is blank")
	}
	state, err := a.Requests.SubmitCode(ctx, q.form.UID, q.challenge.ID, code)
	switch {
	case errors.Is(err, sdk.ErrNotAwaited):
		return nil, fail(http.StatusConflict, "it changed nothing: something else was faster; get the authorization")
	case errors.Is(err, sdk.ErrNoWorker): // it is kept for the worker that comes
		state = q.state
	case err != nil:
		return nil, notTaken(err)
	}
	return &answer[Authorization]{a.authorization(ctx, q.authorization, q.form.WithState(state))}, nil
}

func (a *API) resendCode(ctx context.Context, in *resendCodeInput) (*answer[Authorization], error) {
	var challenge string
	if in.Body != nil {
		challenge = text(in.Body.Value.ChallengeID)
	}
	q, err := a.question(ctx, in.UID, challenge)
	if err != nil {
		return nil, err
	}
	if !q.challenge.CanResend {
		return nil, fail(http.StatusConflict, "the utility does not offer to send the code again")
	}
	if err := a.Requests.ResendCode(ctx, q.form.UID, q.challenge.ID); err != nil {
		return nil, notTaken(err)
	}
	return a.taken(ctx, q, meterkey.SignalResendCode)
}

// question is what the customer of an authorization is asked at this moment.
type question struct {
	authorization store.Authorization
	form          store.Request
	challenge     meterkey.Challenge
	state         meterkey.State
}

// question reads what the customer is asked, from the workflow itself. It must be the given challenge, unless that is
// empty.
func (a *API) question(ctx context.Context, uid, challenge string) (question, error) {
	authorization, form, err := a.authorizationAndForm(ctx, uid)
	if err != nil {
		return question{}, err
	}
	if form.UID == "" {
		return question{}, fail(http.StatusConflict, "no code is awaited: the data request was deleted")
	}
	state, err := a.Requests.State(ctx, form.UID)
	switch {
	case errors.Is(err, sdk.ErrNotFound): // it ended so long ago that Temporal has forgotten it
		return question{}, fail(http.StatusConflict, "no code is awaited: the data request is %s", form.Status)
	case err != nil:
		return question{}, notTaken(err)
	case state.Challenge == nil || state.Status != meterkey.AwaitingCode && state.Status != meterkey.AwaitingChoice:
		return question{}, fail(http.StatusConflict, "no code is awaited: the data request is %s", state.Status)
	case challenge != "" && challenge != state.Challenge.ID:
		return question{}, fail(http.StatusConflict, "challenge_id: the challenge is %s now; ask the customer again", state.Challenge.ID)
	}
	return question{authorization, form, *state.Challenge, state}, nil
}

// notTaken is the answer when the workflow could not be told.
func notTaken(err error) error {
	return unavailable("the request could not be told and nothing was typed; repeat the call in a moment", err)
}

// taken waits until the workflow has taken the signal and answers with the authorization as it is then, or with why the
// signal changed nothing.
func (a *API) taken(ctx context.Context, q question, signal string) (*answer[Authorization], error) {
	waiting, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	state, err := a.Requests.Wait(waiting, q.form.UID, func(s meterkey.State) bool {
		return s.Challenge == nil || s.Challenge.ID != q.challenge.ID || s.Status != q.state.Status || ignoredSince(q.state, s, signal) != ""
	})
	if err != nil { // the signal is on its way all the same
		a.Log.Debug("answered before the signal was taken", zap.String("request_id", q.form.UID), zap.Error(err))
	}
	if why := ignoredSince(q.state, state, signal); why != "" {
		return nil, fail(http.StatusConflict, "it changed nothing: %s", why)
	}
	return &answer[Authorization]{a.authorization(ctx, q.authorization, q.form.WithState(state))}, nil
}

// ignoredSince is why a signal of this name changed nothing since the state before, "" if there was none.
func ignoredSince(before, after meterkey.State, signal string) string {
	var last time.Time
	if n := len(before.Ignored); n > 0 {
		last = before.Ignored[n-1].At
	}
	for _, i := range after.Ignored {
		if i.Signal == signal && i.At.After(last) {
			return i.Why
		}
	}
	return ""
}

// mfa is where a form stands, null once it has ended.
func (a *API) mfa(form store.Request) Optional[MFA] {
	if !live(form) {
		return Optional[MFA]{}
	}
	m := MFA{Status: string(form.Status), Options: []Option{}, URL: a.customersPage(form.UID, form.LinkedAt),
		WhoMustAct: string(form.WaitingOn), Reason: string(form.Reason), Message: form.Message}
	if c := form.Challenge; c != nil {
		m.Kind, m.Prompt, m.SentTo, m.Digits = string(c.Kind), c.Prompt, c.SentTo, c.Digits
		m.TriesLeft, m.CanResend, m.ChallengeID = c.TriesLeft, c.CanResend, &c.ID
		m.ExpiresAt = some(Time{c.ExpiresAt})
		m.Options = converted(c.Options, func(o meterkey.Option) Option { return Option(o) })
	}
	return some(m)
}
