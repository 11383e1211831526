package sdk

import (
	"context"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/meterkey/meterkey"
)

// Listed is one line of a list of requests, as Temporal's visibility has it.
type Listed struct {
	RequestID string             `json:"request_id"`
	Requester string             `json:"requester"`
	Utility   string             `json:"utility"`
	Status    meterkey.Status    `json:"status"`
	WaitingOn meterkey.WaitingOn `json:"waiting_on"`
	Started   time.Time          `json:"started"`
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Status    meterkey.Status
	Utility   string
	Requester string
}

// List lists requests, newest first, limit at most.
func (c *Client) List(ctx context.Context, f Filter, limit int) ([]Listed, error) {
	var listed []Listed
	var page []byte
	for len(listed) < limit {
		answer, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: int32(min(limit-len(listed), 1000)), NextPageToken: page, Query: f.query(), //nolint:gosec // at most 1000
		})
		if err != nil {
			return nil, fmt.Errorf("listing requests: %w", err)
		}
		for _, execution := range answer.GetExecutions() {
			listed = append(listed, listedFrom(execution))
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	return listed, nil
}

// query is the filter in Temporal's list syntax.
func (f Filter) query() string {
	terms := []string{"WorkflowType = " + quote(meterkey.WorkflowType)}
	for _, t := range []struct{ key, value string }{
		{keyStatus.GetName(), string(f.Status)}, {keyUtility.GetName(), f.Utility}, {keyRequester.GetName(), f.Requester},
	} {
		if t.value != "" {
			terms = append(terms, t.key+" = "+quote(t.value))
		}
	}
	return strings.Join(terms, " AND ")
}

func quote(value string) string {
	return fmt.Sprintf("'%s'", strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value))
}

func listedFrom(e *workflowpb.WorkflowExecutionInfo) Listed {
	fields := e.GetSearchAttributes().GetIndexedFields()
	return Listed{
		RequestID: strings.TrimPrefix(e.GetExecution().GetWorkflowId(), meterkey.WorkflowID("")),
		Requester: keyword(fields[keyRequester.GetName()]),
		Utility:   keyword(fields[keyUtility.GetName()]),
		Status:    meterkey.Status(keyword(fields[keyStatus.GetName()])),
		WaitingOn: meterkey.WaitingOn(keyword(fields[keyWaitingOn.GetName()])),
		Started:   e.GetStartTime().AsTime(),
	}
}

// keyword reads a search attribute; one that cannot be read shows as empty rather than hiding the request.
func keyword(p *commonpb.Payload) string {
	var text string
	if p == nil || converter.GetDefaultDataConverter().FromPayload(p, &text) != nil {
		return ""
	}
	return text
}
