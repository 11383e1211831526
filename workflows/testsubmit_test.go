package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// stage plays a customer's steps for a TestSubmit under test.
type stage struct {
	env    *testsuite.TestWorkflowEnvironment
	played []PlayTestStepInput
	closed []WindowInput
	play   func(PlayTestStepInput) (PlayTestStepResult, error)
}

func newStage(t *testing.T) *stage {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	s := &stage{env: suite.NewTestWorkflowEnvironment()}
	s.play = func(PlayTestStepInput) (PlayTestStepResult, error) { return PlayTestStepResult{}, nil }
	s.env.RegisterWorkflowWithOptions(TestSubmit, workflow.RegisterOptions{Name: TestSubmitWorkflowType})
	s.env.RegisterActivityWithOptions(func(_ context.Context, in PlayTestStepInput) (PlayTestStepResult, error) {
		s.played = append(s.played, in)
		return s.play(in)
	}, activity.RegisterOptions{Name: ActivityPlayTestStep})
	s.env.RegisterActivityWithOptions(func(_ context.Context, in WindowInput) error {
		s.closed = append(s.closed, in)
		return nil
	}, activity.RegisterOptions{Name: ActivityCloseWindow})
	return s
}

func (s *stage) run(t *testing.T, steps ...TestStep) error {
	t.Helper()
	s.env.ExecuteWorkflow(TestSubmitWorkflowType, TestSubmitInput{RequestID: "r-1", Utility: "DEMO", User: "code.r-1@example.com", Steps: steps})
	require.True(t, s.env.IsWorkflowCompleted())
	return s.env.GetWorkflowError()
}

func TestTestSubmit_TakesEachStepOnceAndInOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.run(t, TestStep{Do: TestSignIn, Nth: 1}, TestStep{Do: TestAnswerWrongly, Nth: 1}, TestStep{Do: TestAnswer, Nth: 2}))
	require.Len(t, s.played, 3)
	for i, do := range []TestAction{TestSignIn, TestAnswerWrongly, TestAnswer} {
		require.Equal(t, do, s.played[i].Step.Do)
		require.Equal(t, "r-1", s.played[i].RequestID)
		require.Equal(t, "code.r-1@example.com", s.played[i].User)
	}
	require.Empty(t, s.closed)
}

func TestTestSubmit_ClosesTheWindowThatIsToBeLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	held := Window{Host: "h1", ID: "w-1", ExpiresAt: time.Unix(0, 0).UTC()}
	s.play = func(in PlayTestStepInput) (PlayTestStepResult, error) {
		if in.Step.Do == TestLoseWindow {
			return PlayTestStepResult{Lose: &held}, nil
		}
		return PlayTestStepResult{}, nil
	}
	require.NoError(t, s.run(t, TestStep{Do: TestSignIn, Nth: 1}, TestStep{Do: TestLoseWindow}))
	require.Equal(t, []WindowInput{{RequestID: "r-1", Utility: "DEMO", Test: true, Window: held}}, s.closed)
}

func TestTestSubmit_TriesAgainWhenAPortalDies(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	faults := 3
	s.play = func(PlayTestStepInput) (PlayTestStepResult, error) {
		if faults--; faults >= 0 {
			return PlayTestStepResult{}, errors.New("the portal stops")
		}
		return PlayTestStepResult{}, nil
	}
	require.NoError(t, s.run(t, TestStep{Do: TestSignIn, Nth: 1}))
	require.Len(t, s.played, 4)
}
