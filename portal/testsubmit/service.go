// Package testsubmit plays customers at the practice utilities, so that a requester can try its systems on everything that
// may happen to a data request.
//
// Each scenario is a row of one table (table.go): the practice account that signs in, what the customer does then, and how
// it must end. A workflow plays it, so that a portal may stop in the middle.
package testsubmit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/practiceapi"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// Errors that callers tell apart. They come wrapped: use errors.Is.
var (
	// ErrNoScenario: no scenario has this name.
	ErrNoScenario = errors.New("there is no such scenario")
	// ErrNoSite: there is no practice site of this utility.
	ErrNoSite = errors.New("there is no practice site of this utility")
)

// Service plays customers. It is safe for concurrent use.
type Service struct {
	temporal  client.Client
	converter converter.DataConverter
	requests  *sdk.Client
	catalog   *utilities.Catalog
	practice  *practiceapi.Client
}

// New is the service on the practice utilities whose front page is at address; dc is the converter that temporal was made with.
func New(temporal client.Client, dc converter.DataConverter, requests *sdk.Client, catalog *utilities.Catalog, address string) *Service {
	return &Service{temporal: temporal, converter: dc, requests: requests, catalog: catalog, practice: practiceapi.New(address)}
}

// Run plays customers until ctx ends. An error means that Temporal takes this portal no more.
func (s *Service) Run(ctx context.Context) error {
	w := worker.New(s.temporal, TaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: WorkflowType})
	(&Simulator{Temporal: s.temporal, Converter: s.converter, Requests: s.requests, Practice: s.practice}).Register(w)
	stop := make(chan any)
	defer context.AfterFunc(ctx, func() { close(stop) })()
	if err := w.Run(stop); err != nil {
		return fmt.Errorf("running the test submissions' worker: %w", err)
	}
	return nil
}

// Plan is a scenario at a utility.
type Plan struct {
	Scenario
	// Utility is where it plays: the one asked for, unless its practice site cannot show it.
	Utility string
}

// Plan finds the scenario, and where to play it. ErrNoScenario, ErrNoSite.
func (s *Service) Plan(ctx context.Context, scenario, utility string) (Plan, error) {
	all := Scenarios()
	i := slices.IndexFunc(all, func(row Scenario) bool { return row.Name == scenario })
	if i < 0 {
		return Plan{}, fmt.Errorf("%w: %.50q", ErrNoScenario, scenario)
	}
	sites, err := s.practice.Utilities(ctx)
	if err != nil {
		return Plan{}, err
	}
	asked := slices.IndexFunc(sites, func(site practiceapi.Utility) bool { return site.ID == utility })
	if asked < 0 {
		return Plan{}, fmt.Errorf("%w: %.50q", ErrNoSite, utility)
	}
	if all[i].Utility != "" {
		return Plan{all[i], all[i].Utility}, nil
	}
	for _, site := range append([]practiceapi.Utility{sites[asked]}, sites...) {
		if s.shows(site, all[i]) {
			return Plan{all[i], site.ID}, nil
		}
	}
	return Plan{}, fmt.Errorf("no practice site shows %s", scenario)
}

// shows tells whether a practice site can show a scenario.
func (s *Service) shows(site practiceapi.Utility, row Scenario) bool {
	u, err := s.catalog.Find(site.ID)
	if err != nil || row.Policy != "" && u.MFA.Policy != row.Policy {
		return false
	}
	kind, _, _ := strings.Cut(row.Kind, "-")
	return slices.Contains(site.Kinds, kind)
}

// Account is a practice account, as a person would use it.
type Account struct{ Username, Password, PhoneURL string }

// Account is the practice account of a plan, of this data request alone.
func (s *Service) Account(p Plan, requestID string) Account {
	name := user(p.Kind, requestID)
	return Account{Username: name, Password: practiceapi.Password, PhoneURL: s.practice.PhoneURL(p.Utility, name)}
}

// Play has the customer of a plan played in a data request that is a test and that nobody has answered yet.
func (s *Service) Play(ctx context.Context, p Plan, requestID string) error {
	script := p.Steps
	if script == nil {
		script = steps(SignIn)
	}
	script = slices.Clone(script)
	for i := range script {
		if kind := script[i].User; kind != "" {
			script[i].User = user(kind, requestID)
		}
	}
	in := Input{RequestID: requestID, Utility: p.Utility, User: user(p.Kind, requestID), Steps: script}
	_, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "test-submit-" + requestID, TaskQueue: TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, StaticSummary: "Plays a practice customer at " + p.Utility,
	}, WorkflowType, in)
	return wrap("playing the customer of "+requestID, err)
}

// user is the name of a practice account: its kind decides what happens, the rest makes it the request's own.
func user(kind, requestID string) string { return kind + "." + requestID + "@example.com" }
