package testsubmit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/workflows"
)

// stage plays a customer's steps for a TestSubmit under test.
type stage struct {
	env    *testsuite.TestWorkflowEnvironment
	played []PlayInput
	closed []workflows.CloseWindowInput
	play   func(PlayInput) (PlayResult, error)
}

func newStage(t *testing.T) *stage {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	s := &stage{env: suite.NewTestWorkflowEnvironment()}
	s.play = func(PlayInput) (PlayResult, error) { return PlayResult{}, nil }
	s.env.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: WorkflowType})
	s.env.RegisterActivityWithOptions(func(_ context.Context, in PlayInput) (PlayResult, error) {
		s.played = append(s.played, in)
		return s.play(in)
	}, activity.RegisterOptions{Name: ActivityPlay})
	s.env.RegisterActivityWithOptions(func(_ context.Context, in workflows.CloseWindowInput) error {
		s.closed = append(s.closed, in)
		return nil
	}, activity.RegisterOptions{Name: workflows.ActivityCloseWindow})
	return s
}

func (s *stage) run(t *testing.T, steps ...Step) error {
	t.Helper()
	s.env.ExecuteWorkflow(WorkflowType, Input{RequestID: "r-1", Utility: "DEMO", User: "code.r-1@example.com", Steps: steps})
	require.True(t, s.env.IsWorkflowCompleted())
	return s.env.GetWorkflowError()
}

func TestTestSubmit_TakesEachStepOnceAndInOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.run(t, Step{Do: SignIn, Nth: 1}, Step{Do: AnswerWrongly, Nth: 1}, Step{Do: Answer, Nth: 2}))
	require.Len(t, s.played, 3)
	for i, do := range []Action{SignIn, AnswerWrongly, Answer} {
		require.Equal(t, do, s.played[i].Step.Do)
		require.Equal(t, "r-1", s.played[i].RequestID)
		require.Equal(t, "code.r-1@example.com", s.played[i].User)
	}
	require.Empty(t, s.closed)
}

func TestTestSubmit_ClosesTheWindowThatIsToBeLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	held := workflows.Window{Host: "h1", ID: "w-1", ExpiresAt: time.Unix(0, 0).UTC()}
	s.play = func(in PlayInput) (PlayResult, error) {
		if in.Step.Do == LoseWindow {
			return PlayResult{Lose: &held}, nil
		}
		return PlayResult{}, nil
	}
	require.NoError(t, s.run(t, Step{Do: SignIn, Nth: 1}, Step{Do: LoseWindow}))
	require.Equal(t, []workflows.CloseWindowInput{{RequestID: "r-1", Window: held}}, s.closed)
}

func TestTestSubmit_TriesAgainWhenAPortalDies(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	faults := 3
	s.play = func(PlayInput) (PlayResult, error) {
		if faults--; faults >= 0 {
			return PlayResult{}, errors.New("the portal stops")
		}
		return PlayResult{}, nil
	}
	require.NoError(t, s.run(t, Step{Do: SignIn, Nth: 1}))
	require.Len(t, s.played, 4)
}
