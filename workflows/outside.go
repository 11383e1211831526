package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meterkey/meterkey"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

// signalNames in the order in which signals of one workflow task are read.
var signalNames = [...]string{meterkey.SignalSubmitLogin, meterkey.SignalSubmitCode, meterkey.SignalResendCode, meterkey.SignalLeave, meterkey.SignalResend, meterkey.SignalDecline}

// listen takes signals in for as long as the run lasts.
func (r *runner) listen(ctx workflow.Context) {
	selector := workflow.NewSelector(ctx)
	for _, name := range signalNames {
		selector.AddReceive(workflow.GetSignalChannel(ctx, name), func(workflow.ReceiveChannel, bool) { r.pump(ctx) })
	}
	for {
		selector.Select(ctx)
	}
}

// pump takes in every signal that has arrived.
func (r *runner) pump(ctx workflow.Context) {
	for _, name := range signalNames {
		for {
			var raw converter.RawValue
			if !workflow.GetSignalChannel(ctx, name).ReceiveAsync(&raw) {
				break
			}
			r.receive(readSignal(name, raw.Payload()), workflow.Now(ctx).UTC())
		}
	}
}

// readSignal decodes a payload. What cannot be read is noted, never a reason to fail.
func readSignal(name string, p *commonpb.Payload) signal {
	s := signal{name: name}
	var into any
	switch name {
	case meterkey.SignalSubmitLogin:
		into = &s.login
	case meterkey.SignalSubmitCode:
		into = &s.code
	case meterkey.SignalResendCode:
		into = &s.resendCode
	default:
		return s
	}
	if p == nil {
		s.unreadable = errors.New("it has no payload")
	} else if converter.GetDefaultDataConverter().FromPayload(p, into) != nil {
		// The decoder's own words may quote the payload.
		s.unreadable = errors.New("its payload is not the JSON document that docs/contract.md describes")
	}
	return s
}

// notify queues the notices that an event brings.
func (r *runner) notify(ctx workflow.Context, from meterkey.Status, e event, reason meterkey.Reason) {
	for _, n := range noticesOf(from, e, reason) {
		r.send(ctx, n.kind, n.to, reason)
	}
}

func (r *runner) send(ctx workflow.Context, kind meterkey.NoticeKind, to meterkey.Audience, reason meterkey.Reason) {
	r.Notices++
	p := r.postFor(to)
	p.queue = append(p.queue, meterkey.Notice{
		// A revived request is another run, and counts from one again. Run ids of one minute begin alike.
		ID:   fmt.Sprintf("%s.%s.%d", r.request.RequestID, workflow.GetInfo(ctx).WorkflowExecution.RunID, r.Notices),
		Kind: kind, To: to, Reason: reason, Request: r.asChosen(), Until: r.State.Until, LinkedAt: r.State.LinkedAt,
		Meters: len(r.State.Meters), MFAWasOff: r.MFAWasOff,
	})
}

func (r *runner) postFor(to meterkey.Audience) *post {
	if to == meterkey.ToRequester {
		return &r.toRequester
	}
	return &r.toCustomer
}

// remind reminds the customer to turn MFA off.
func (r *runner) remind(ctx workflow.Context) {
	r.Reminders++
	r.send(ctx, meterkey.NoticeMFAReminder, meterkey.ToCustomer, meterkey.MFAUnsupported)
}

type addressed struct {
	kind meterkey.NoticeKind
	to   meterkey.Audience
}

// noticesOf says who is told what when an event leads away from a status. The empty event is the start.
func noticesOf(from meterkey.Status, e event, reason meterkey.Reason) []addressed {
	text := reason.Text()
	switch e {
	case "":
		return []addressed{{meterkey.NoticeSignIn, meterkey.ToCustomer}}
	case eventResend:
		if from == meterkey.AwaitingMFAOff {
			return []addressed{{meterkey.NoticeTurnMFAOff, meterkey.ToCustomer}}
		}
		return []addressed{{meterkey.NoticeSignIn, meterkey.ToCustomer}}
	case eventCodeAsked, eventChoiceAsked:
		if from == meterkey.SubmittingCode || from == meterkey.AwaitingCode {
			return nil // whoever has just answered is there
		}
		return []addressed{{meterkey.NoticeCodeNeeded, meterkey.ToCustomer}}
	case eventMFAUnsupported:
		return told(meterkey.NoticeTurnMFAOff, text)
	case eventSignInAgain:
		return told(meterkey.NoticeSignInAgain, text)
	case eventGiveUp:
		return told(meterkey.NoticeFailed, text)
	case eventMetersRead:
		return []addressed{{meterkey.NoticeConnected, meterkey.ToCustomer}, {meterkey.NoticeConnected, meterkey.ToRequester}}
	case eventDecline:
		return []addressed{{meterkey.NoticeDeclined, meterkey.ToRequester}}
	case eventDeadline:
		return []addressed{{meterkey.NoticeExpired, meterkey.ToCustomer}, {meterkey.NoticeExpired, meterkey.ToRequester}}
	case eventCancel:
		return []addressed{{meterkey.NoticeCanceled, meterkey.ToCustomer}}
	}
	return nil
}

// told addresses a notice to those whom the reasons' table has a text for.
func told(kind meterkey.NoticeKind, text meterkey.ReasonText) []addressed {
	var to []addressed
	if text.Customer != "" {
		to = append(to, addressed{kind, meterkey.ToCustomer})
	}
	if text.Requester != "" {
		to = append(to, addressed{kind, meterkey.ToRequester})
	}
	return to
}

// post is what is to be sent to one audience, in order.
type post struct {
	queue   []meterkey.Notice
	sending bool
}

func (p *post) idle() bool { return len(p.queue) == 0 && !p.sending }

// deliver sends an audience's notices, one after the other, beside the request's own course. A mailbox that does not
// answer holds up nobody else's.
func (r *runner) deliver(ctx workflow.Context, p *post) {
	for {
		if workflow.Await(ctx, func() bool { return len(p.queue) > 0 }) != nil {
			return
		}
		n := p.queue[0]
		p.queue, p.sending = p.queue[1:], true
		options := notifyOptions(n, workflow.Now(ctx))
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), ActivityNotify, n).Get(ctx, nil)
		if err != nil {
			workflow.GetLogger(ctx).Error("notice not sent", "request_id", r.request.RequestID, "notice", n.ID, "error", err)
		}
		p.sending = false
	}
}

// record projects the state for lists and reports, beside the request's own course. Changes that come faster than
// they are recorded are recorded as one.
func (r *runner) record(ctx workflow.Context) {
	for {
		if workflow.Await(ctx, func() bool { return r.State.Revision > r.known }) != nil {
			return
		}
		p := meterkey.Projection{Request: r.request, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID, State: r.State}
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, recordOptions(p.State)), ActivityRecord, p).Get(ctx, nil)
		if err != nil {
			workflow.GetLogger(ctx).Error("state not recorded", "request_id", r.request.RequestID, "version", p.State.Revision, "error", err)
		}
		r.known = p.State.Revision
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
