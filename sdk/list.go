package sdk

import (
	"fmt"
	"strings"

	"github.com/meterkey/meterkey"

	commonpb "go.temporal.io/api/common/v1"

	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"
)

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
