package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/testsubmit"
	"github.com/meterkey/meterkey/utilities"
)

const (
	// playedWithin bounds how long test-submit waits for the played customer to sign in.
	playedWithin = 20 * time.Second
	// lookEvery is how often it looks.
	lookEvery = 50 * time.Millisecond
)

// TestSubmission is what a test submission plays.
type TestSubmission struct {
	Utility  *string `json:"utility" required:"false" maxLength:"100" doc:"Where it plays; the form's utility, or else DEMO, if left out. A scenario that this utility's site cannot show plays at another one: the answer says which."`
	Scenario string  `json:"scenario" minLength:"1" maxLength:"64" doc:"What happens; GET /test-scenarios lists them." example:"residential"`

	_ struct{} `additionalProperties:"true"`
}

// TestSubmitted is a test submission that has begun.
type TestSubmitted struct {
	Success          bool            `json:"success"`
	Referral         string          `json:"referral" doc:"Finds the authorization: GET /authorizations?referrals="`
	AuthorizationUID string          `json:"authorization_uid"`
	FormUID          string          `json:"form_uid" doc:"The test's own form. Nothing happens to the form that was submitted."`
	Utility          string          `json:"utility"`
	Scenario         string          `json:"scenario"`
	Practice         PracticeAccount `json:"practice"`
}

// PracticeAccount is the practice account that signs in, for scenarios in which somebody has to go on.
type PracticeAccount struct {
	Username string `json:"username"`
	Password string `json:"password"`
	PhoneURL string `json:"phone_url" format:"uri" doc:"The page of the practice phone on which codes arrive."`
}

// TestScenario is one thing that test-submit can play.
type TestScenario struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Status      string `json:"status" doc:"Where the data request ends up, or waits for you."`
	Reason      string `json:"reason" doc:"The reason it shows then."`
	Meters      int    `json:"meters" doc:"How many meters the authorization has then; 0 where the scenario does not say."`
}

// TestScenarioList is the list of scenarios.
type TestScenarioList struct {
	Scenarios []TestScenario `json:"test_scenarios" nullable:"false"`
	Next      *string        `json:"next" format:"uri"`
}

type testSubmitInput struct {
	ByUID
	Body Fields[TestSubmission]
}

func (a *API) registerTestSubmit() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Tests"}}
	}
	register(a, op("test-submit", http.MethodPost, "/forms/{uid}/test-submit", "Submit a form as a practice customer",
		"A practice customer answers a form of their own, made like this one, at a practice utility. Nobody is written to."), a.testSubmit)
	register(a, op("list-test-scenarios", http.MethodGet, "/test-scenarios", "List what test-submit can play", ""), a.listTestScenarios)
}

func (a *API) listTestScenarios(context.Context, *struct{}) (*answer[TestScenarioList], error) {
	list := TestScenarioList{Scenarios: converted(testsubmit.Scenarios(), func(s testsubmit.Scenario) TestScenario {
		return TestScenario{Name: s.Name, Description: s.Means, Status: string(s.Status), Reason: string(s.Reason), Meters: s.Meters}
	})}
	return &answer[TestScenarioList]{list}, nil
}

// testSubmit plays in a data request of its own: what a real customer was asked for is never touched, and a form can be
// submitted any number of times.
func (a *API) testSubmit(ctx context.Context, in *testSubmitInput) (*answer[TestSubmitted], error) {
	form, err := a.request(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	plan, err := a.testPlan(ctx, in.Body.Value, form)
	if err != nil {
		return nil, err
	}
	test, err := a.store(ctx, store.Request{RequesterUID: form.RequesterUID, TemplateUID: form.TemplateUID, Utility: plan.Utility,
		Nickname: "Test: " + plan.Name, Scope: form.Scope, IsTest: true})
	if err != nil {
		return nil, err
	}
	if err := a.play(ctx, plan, test); err != nil {
		return nil, unavailable("the test could not begin; repeat the call in a moment", err)
	}
	authorization, err := a.played(ctx, test.UID)
	if err != nil {
		return nil, err
	}
	account := a.TestSubmit.Account(plan, test.UID)
	return &answer[TestSubmitted]{TestSubmitted{Success: true, Referral: authorization.Referral, AuthorizationUID: authorization.UID,
		FormUID: test.UID, Utility: plan.Utility, Scenario: plan.Name, Practice: PracticeAccount(account)}}, nil
}

// testPlan is what is to be played, and where.
func (a *API) testPlan(ctx context.Context, s TestSubmission, form store.Request) (testsubmit.Plan, error) {
	if a.TestSubmit == nil {
		return testsubmit.Plan{}, fail(http.StatusBadRequest,
			"there are no practice utilities here: the operator starts `sandbox` and sets MK_PRACTICE_URL for the portal and MK_PRACTICE_ORIGINS for the workers")
	}
	utility, err := a.knownUtility(cmp.Or(text(s.Utility), form.Utility, utilities.Demo))
	if err != nil {
		return testsubmit.Plan{}, err
	}
	plan, err := a.TestSubmit.Plan(ctx, s.Scenario, utility)
	switch {
	case errors.Is(err, testsubmit.ErrNoScenario):
		return plan, wrongField("scenario", "there is no such scenario; these are: %s", strings.Join(testsubmit.Names(), ", "))
	case errors.Is(err, testsubmit.ErrNoSite):
		return plan, wrongField("utility", "there is no practice site of %s", utility)
	case err != nil:
		return plan, unavailable("the practice utilities do not answer; is `sandbox` running where MK_PRACTICE_URL says?", err)
	}
	return plan, nil
}

// play starts the test's data request without anybody's address, so that nobody is written to, and the customer.
func (a *API) play(ctx context.Context, plan testsubmit.Plan, test store.Request) error {
	request := workflowRequest(callerOf(ctx).requester, test)
	request.RequesterEmail = ""
	if err := a.Requests.Start(ctx, request); err != nil {
		return err
	}
	return a.TestSubmit.Play(ctx, plan, test.UID)
}

// played waits for the authorization that comes with the customer's signing in.
func (a *API) played(ctx context.Context, uid string) (store.Authorization, error) {
	ctx, cancel := context.WithTimeout(ctx, playedWithin)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		row, err := a.Store.Request(ctx, requesterOf(ctx), uid)
		if err == nil && row.AuthorizationUID != "" {
			return a.Store.Authorization(ctx, row.RequesterUID, row.AuthorizationUID)
		}
		if err != nil && ctx.Err() == nil {
			return store.Authorization{}, err
		}
		select {
		case <-ctx.Done():
			return store.Authorization{}, unavailable("the test has begun as form "+uid+", but nobody has signed in yet: is a worker running?", ctx.Err())
		case <-ticker.C:
		}
	}
}
