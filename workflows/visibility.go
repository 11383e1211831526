package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

var (
	keyStatus    = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeStatus)
	keyUtility   = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeUtility)
	keyRequester = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeRequester)
	keyWaitingOn = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeWaitingOn)
)

// answerQueries lets anybody ask where the request stands.
func (r *runner) answerQueries(ctx workflow.Context) {
	if err := workflow.SetQueryHandler(ctx, meterkey.QueryStatus, func() (meterkey.State, error) { return r.State, nil }); err != nil {
		panic(err) // a defect: see Progress.apply
	}
}

// publish shows the state to operators: search attributes, and details in Temporal's Web UI.
func (r *runner) publish(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, r.details())
	s := r.State
	shown, _ := workflow.GetTypedSearchAttributes(ctx).GetKeyword(keyStatus)
	if shown == string(s.Status) {
		return
	}
	err := workflow.UpsertTypedSearchAttributes(ctx, keyStatus.ValueSet(string(s.Status)), keyUtility.ValueSet(s.Utility),
		keyRequester.ValueSet(r.request.Requester), keyWaitingOn.ValueSet(string(s.WaitingOn)))
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}

// details is what operators read in Temporal's Web UI, in Markdown. It names no person.
func (r *runner) details() string {
	s := r.State
	lines := []string{"**" + string(s.Status) + "**", ""}
	row := func(name, value string) {
		if value != "" {
			lines = append(lines, "- "+name+": "+value)
		}
	}
	row("reason", string(s.Reason))
	row("waits on", string(s.WaitingOn))
	row("since", s.Since.Format(time.RFC3339))
	if s.Until != nil {
		row("until", s.Until.Format(time.RFC3339))
	}
	if s.Challenge != nil {
		row("asked", fmt.Sprintf("%s, %d tries left", s.Challenge.Kind, s.Challenge.TriesLeft))
	}
	if s.Reason != "" {
		row("who must act", string(s.Reason.Text().Acts))
		row("next", s.Reason.Text().Next)
	}
	row("evidence", r.Evidence)
	return strings.Join(lines, "\n")
}
