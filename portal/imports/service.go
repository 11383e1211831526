// Package imports sends the data requests of a file of customers. A workflow does so, batch by batch, so that it goes on
// whichever portals run; people see how far it is, pause it and stop it.
package imports

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/requests"
	"github.com/meterkey/meterkey/sdk"
)

const (
	// atOnce is how many imports one portal sends at a time; more take turns, requester by requester.
	atOnce = 10
	// stopLimit is how long a stopping portal lets a batch end: several times what one takes.
	stopLimit = 5 * time.Second
	// cancelWithin is how soon a batch hears that it is cut short.
	cancelWithin = time.Second
)

// Service sends imports. It is safe for concurrent use.
type Service struct {
	temporal client.Client
	store    *store.Store
	sender   requests.Sender
}

// New is the service that keeps its imports where the sender keeps its requests.
func New(c client.Client, sender requests.Sender) *Service {
	return &Service{temporal: c, store: sender.Store, sender: sender}
}

// Run sends imports until ctx ends. An error means that Temporal takes this portal no more.
func (s *Service) Run(ctx context.Context) error {
	w := worker.New(s.temporal, TaskQueue, worker.Options{MaxConcurrentActivityExecutionSize: atOnce, WorkerStopTimeout: stopLimit,
		MaxHeartbeatThrottleInterval: cancelWithin, DeadlockDetectionTimeout: sdk.TaskTimeout})
	w.RegisterWorkflowWithOptions(SendImport, workflow.RegisterOptions{Name: WorkflowType})
	w.RegisterActivityWithOptions(s.SendRows, activity.RegisterOptions{Name: ActivitySendRows})
	stop := make(chan any)
	defer context.AfterFunc(ctx, func() { close(stop) })()
	if err := w.Run(stop); err != nil {
		return fmt.Errorf("running the imports' worker: %w", err)
	}
	return nil
}

// Start starts the sending of an import; one that was started before is not started again.
func (s *Service) Start(ctx context.Context, in Input) error {
	_, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: WorkflowID(in.ImportUID), TaskQueue: TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowTaskTimeout:      sdk.TaskTimeout,
		StaticSummary:            "Import of " + in.Requester,
		Priority:                 temporal.Priority{FairnessKey: in.Requester},
	}, WorkflowType, in)
	if err != nil {
		return fmt.Errorf("starting import %s: %w", in.ImportUID, err)
	}
	return nil
}

// Update pauses, resumes or stops an import that was started (UpdatePause and so on). One that has ended stays as it is.
func (s *Service) Update(ctx context.Context, importUID, name string) error {
	handle, err := s.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: WorkflowID(importUID), UpdateName: name,
		WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	if err == nil || ended(err) {
		return nil
	}
	return fmt.Errorf("telling import %s to %s: %w", importUID, name, err)
}

// ended tells whether an error says that no workflow runs.
func ended(err error) bool {
	var notFound *serviceerror.NotFound
	return errors.As(err, &notFound)
}

// State tells where the sending of an import stands that has so many rows left: "" before it has begun. Temporal is asked
// only while rows are left; without a workflow, nobody will send them.
func (s *Service) State(ctx context.Context, i store.Import, left int) (State, error) {
	switch {
	case i.Started == nil:
		return "", nil
	case left == 0:
		return Done, nil
	}
	answer, err := s.temporal.QueryWorkflowWithOptions(ctx, &client.QueryWorkflowWithOptionsRequest{WorkflowID: WorkflowID(i.UID),
		QueryType: QueryProgress, QueryRejectCondition: enumspb.QUERY_REJECT_CONDITION_NOT_OPEN})
	if ended(err) || err == nil && answer.QueryRejected != nil {
		return Stopped, nil
	}
	var p Progress
	if err == nil {
		err = answer.QueryResult.Get(&p)
	}
	if err != nil {
		return "", fmt.Errorf("asking import %s for its progress: %w", i.UID, err)
	}
	return p.State, nil
}
