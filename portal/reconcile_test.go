package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/sdk/payload"
	"github.com/meterkey/meterkey/workflows"
)

// operated is a portal whose operator terminates and deletes runs: its requester's key, its database, and Temporal.
type operated struct {
	serving
	key      string
	db       *store.Store
	temporal client.Client
	requests *sdk.Client
}

// operate starts a portal, and workers that sign nobody in: customers who have typed their login wait for a window.
func operate(t *testing.T, temporal *devenv.Temporal) *operated {
	t.Helper()
	to := recipient(t)
	o := &operated{serving: serve(t, temporal, "MK_RECIPIENT="+to)}
	o.ready(t)
	o.says(t, "", "requester", "add", "acme")
	o.key = strings.TrimSpace(o.says(t, "", "key", "add", "--requester", "acme"))
	o.db = o.database(t)
	converter := payload.New(payload.Keys{})
	var err error
	o.temporal, err = client.Dial(client.Options{HostPort: temporal.Address(), DataConverter: converter, Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	t.Cleanup(o.temporal.Close)
	o.requests = sdk.New(o.temporal, to, converter)
	o.work(t)
	return o
}

// work serves the workflow, and a sign-in that never has a window.
func (o *operated) work(t *testing.T) {
	t.Helper()
	record := func(ctx context.Context, p meterkey.Projection) error {
		_, err := o.db.Record(ctx, p)
		return err
	}
	desk := worker.New(o.temporal, meterkey.TaskQueue, worker.Options{DeadlockDetectionTimeout: sdk.TaskTimeout})
	desk.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	desk.RegisterActivityWithOptions(record, activity.RegisterOptions{Name: workflows.ActivityRecord})
	desk.RegisterActivityWithOptions(func(context.Context, workflows.NotifyInput) (workflows.NotifyResult, error) {
		return workflows.NotifyResult{}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityNotify})
	signIn := worker.New(o.temporal, workflows.SignInTaskQueue, worker.Options{})
	signIn.RegisterActivityWithOptions(func(ctx context.Context, in workflows.LoginInput) error {
		p := meterkey.Projection{Request: in.Request, RunID: activity.GetInfo(ctx).WorkflowExecution.RunID, State: in.State()}
		return errors.Join(record(ctx, p), errors.New("no window is free"))
	}, activity.RegisterOptions{Name: workflows.ActivityLogin})
	for _, w := range []worker.Worker{desk, signIn} {
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
	}
}

// form is what the test looks at of one.
type form struct{ UID, URL, Status, Reason string }

// call calls the API and returns the form that it answers with.
func (o *operated) call(t *testing.T, method, path, body string) (f form) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, o.url+"/api/v2/forms"+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+o.key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
	require.NoError(t, json.Unmarshal(text, &f))
	return f
}

// ask makes a form and waits until it is recorded.
func (o *operated) ask(t *testing.T) form {
	t.Helper()
	f := o.call(t, http.MethodPost, "", `{"utility": "CONED", "customer_email": "pat@example.com"}`)
	o.recorded(t, f.UID, meterkey.AwaitingLogin)
	return f
}

// recorded waits until the database has the form at a status.
func (o *operated) recorded(t *testing.T, uid string, status meterkey.Status) store.Request {
	t.Helper()
	var row store.Request
	require.Eventually(t, func() bool {
		var err error
		row, err = o.db.RequestByID(t.Context(), uid)
		return err == nil && row.RunID != "" && row.Status == status
	}, time.Minute, 20*time.Millisecond)
	return row
}

// saysTerminated waits until the API says that the form was terminated, and looks whether the authorization does.
func (o *operated) saysTerminated(t *testing.T, uid string) {
	t.Helper()
	require.Eventually(t, func() bool {
		f := o.call(t, http.MethodGet, "/"+uid, "")
		return f.Status == "failed" && f.Reason == "terminated"
	}, time.Minute, 100*time.Millisecond)
	row := o.recorded(t, uid, meterkey.Failed)
	authorization, err := o.db.Authorization(t.Context(), "acme", row.AuthorizationUID)
	require.NoError(t, err)
	require.Equal(t, store.Errored, authorization.Status)
	require.Equal(t, store.NoteRequestTerminated, authorization.Notes[0].Type)
	events, err := o.db.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Limit: 1})
	require.NoError(t, err)
	require.Equal(t, store.EventAuthorizationUpdateErrored, events.Items[0].Type)
}

// signIn has the customer sign in, as far as there is a window.
func (o *operated) signIn(t *testing.T, uid string) store.Request {
	t.Helper()
	_, err := o.requests.SubmitLogin(t.Context(), uid, meterkey.Credentials{Username: "u", Password: "p"})
	require.NoError(t, err)
	return o.recorded(t, uid, meterkey.SigningIn)
}

// reconciles has an operator terminate a run and delete the next one: both are told, and asking again works after either.
func reconciles(t *testing.T, temporal *devenv.Temporal) {
	o := operate(t, temporal)
	untouched, ended := o.ask(t), o.ask(t)
	unsent, _, err := o.db.CreateRequest(t.Context(), store.Request{RequesterUID: "acme", Utility: "CONED"})
	require.NoError(t, err)
	first := o.signIn(t, ended.UID)
	require.NoError(t, o.temporal.TerminateWorkflow(t.Context(), meterkey.WorkflowID(ended.UID), "", "an operator's reason"))
	o.saysTerminated(t, ended.UID)

	o.askAgain(t, ended)
	second := o.signIn(t, ended.UID)
	require.NotEqual(t, first.RunID, second.RunID, "the row follows the new run")
	require.Equal(t, first.AuthorizationUID, second.AuthorizationUID)
	require.NoError(t, o.stop())
	o.remove(t, second)
	o.serving = serve(t, temporal, "MK_RECIPIENT="+recipient(t), "MK_HOME="+o.dir) // looks for what was deleted when it starts
	o.ready(t)
	o.saysTerminated(t, ended.UID)
	_, link, _ := strings.Cut(o.call(t, http.MethodGet, "/"+ended.UID, "").URL, "/r/")
	_, page, _ := o.get(t, "/r/"+link)
	require.Contains(t, page, meterkey.Terminated.Text().Customer)

	o.askAgain(t, ended)
	o.recorded(t, ended.UID, meterkey.AwaitingLogin)
	require.Equal(t, "awaiting_login", o.call(t, http.MethodGet, "/"+untouched.UID, "").Status)
	row, err := o.db.RequestByID(t.Context(), unsent.UID)
	require.NoError(t, err)
	require.Equal(t, meterkey.AwaitingLogin, row.Status, "what was not started yet was not deleted")
	require.NoError(t, o.stop())
}

// askAgain closes a form and opens it, which sends it to the customer anew.
func (o *operated) askAgain(t *testing.T, f form) {
	t.Helper()
	require.Equal(t, "failed", o.call(t, http.MethodPost, "/"+f.UID, `{"disabled": true}`).Status)
	again := o.call(t, http.MethodPost, "/"+f.UID, `{"disabled": false}`)
	require.Equal(t, "awaiting_login", again.Status)
	require.NotEqual(t, f.URL, again.URL)
}

// remove deletes a run, and waits until Temporal has none any more.
func (o *operated) remove(t *testing.T, row store.Request) {
	t.Helper()
	run := &common.WorkflowExecution{WorkflowId: meterkey.WorkflowID(row.UID), RunId: row.RunID}
	_, err := o.temporal.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{Namespace: "default", WorkflowExecution: run})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := o.temporal.DescribeWorkflowExecution(t.Context(), run.GetWorkflowId(), run.GetRunId())
		var gone *serviceerror.NotFound
		return errors.As(err, &gone)
	}, time.Minute, 20*time.Millisecond)
}
