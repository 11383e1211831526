package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// DeliverNoticeWorkflowType is the name under which DeliverNotice is registered.
const DeliverNoticeWorkflowType = "DeliverNotice"

// DeliverNotice goes on with a notice that a data request could not send soon, for as long as a mailbox may be away.
func DeliverNotice(ctx workflow.Context, in NotifyInput) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, deliverOptions(in.Notice)), ActivityNotify, in).Get(ctx, nil)
}

// mailbox is what is to be sent to one audience, in order. A mailbox that does not answer holds up nobody else's.
type mailbox struct {
	queue   []NotifyInput // the first one is being sent
	handing bool          // over to workflows of their own
	stop    func()        // sending
}

func (m *mailbox) idle() bool { return len(m.queue) == 0 }

// mailed tells that no notice is to be sent any more.
func (r *runner) mailed() bool { return r.toCustomer.idle() && r.toRequester.idle() }

// notify sends the notices that an event brings. The first one also records the state, if nobody else has done so.
func (r *runner) notify(ctx workflow.Context, from meterkey.Status, e event, reason meterkey.Reason) {
	kind, to := noticeOf(from, e, reason)
	if len(to) == 2 && r.mailed() {
		to = []meterkey.Audience{meterkey.ToBoth}
	}
	for _, audience := range to {
		r.send(ctx, r.notice(ctx, kind, audience, reason))
	}
}

// notice makes a notice with an id of its own.
func (r *runner) notice(ctx workflow.Context, kind meterkey.NoticeKind, to meterkey.Audience, reason meterkey.Reason) meterkey.Notice {
	r.Notices++
	request := r.request
	request.Utility = r.State.Utility
	return meterkey.Notice{
		// A revived request is another run, and counts from one again. Run ids of one minute begin alike.
		ID:   fmt.Sprintf("%s.%s.%d", r.request.RequestID, workflow.GetInfo(ctx).WorkflowExecution.RunID, r.Notices),
		Kind: kind, To: to, Reason: reason, Request: request, Until: r.State.Until, LinkedAt: r.State.LinkedAt,
		Meters: len(r.State.Meters), MFAWasOff: r.MFAWasOff,
	}
}

// remind reminds the customer to turn MFA off.
func (r *runner) remind(ctx workflow.Context) {
	r.Reminders++
	r.send(ctx, r.notice(ctx, meterkey.NoticeMFAReminder, meterkey.ToCustomer, meterkey.MFAUnsupported))
}

// send puts a notice into its audience's mailbox.
func (r *runner) send(ctx workflow.Context, n meterkey.Notice) {
	in := NotifyInput{Notice: n}
	box := &r.toCustomer
	if n.To == meterkey.ToRequester {
		box = &r.toRequester
	}
	if box.idle() && r.recording < r.State.Revision { // recording waits for no mailbox
		p := r.projection(ctx)
		in.Record, r.recording = &p, p.State.Revision
	}
	box.queue = append(box.queue, in)
	if len(box.queue) == 1 {
		workflow.GoNamed(r.lasting, "notices", func(ctx workflow.Context) { r.deliver(ctx, box) })
	}
}

// deliver empties a mailbox. What cannot be sent soon, and all that follows it, goes on in workflows of its own.
func (r *runner) deliver(ctx workflow.Context, box *mailbox) {
	for ; len(box.queue) > 0; box.queue = box.queue[1:] {
		in := box.queue[0]
		if box.handing || !r.sent(ctx, box, in) {
			box.handing = true
			r.handOver(ctx, in)
		}
	}
	box.handing = false
}

// sent tries to send a notice for a short time and tells whether that is settled.
func (r *runner) sent(ctx workflow.Context, box *mailbox, in NotifyInput) bool {
	sending, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, notifyOptions(in.Notice)))
	defer stop()
	box.stop = stop
	var done NotifyResult
	err := workflow.ExecuteActivity(sending, ActivityNotify, in).Get(ctx, &done)
	if in.Record != nil {
		r.recordedAs(in.Record.State.Revision, done.Recorded)
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("notice not sent", "request_id", r.request.RequestID, "notice", in.Notice.ID, "error", err)
	}
	return err == nil || hasType(err, ErrTypeRefused)
}

// handOver has a notice delivered by a workflow of its own, which outlives this one.
func (r *runner) handOver(ctx workflow.Context, in NotifyInput) {
	in.Record = nil
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: "notice-" + in.Notice.ID, TaskQueue: meterkey.TaskQueue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary: "Tell the " + in.Notice.To.String() + ": " + string(in.Notice.Kind), Priority: priority(in.Notice.Request),
	})
	if err := workflow.ExecuteChildWorkflow(child, DeliverNoticeWorkflowType, in).GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("notice given up", "request_id", r.request.RequestID, "notice", in.Notice.ID, "error", err)
	}
}

// handOverMail leaves every notice that is still to be sent to workflows of their own, and waits for what is left to do
// besides. What a notice was about to record, Record does.
func (r *runner) handOverMail() {
	for _, box := range []*mailbox{&r.toCustomer, &r.toRequester} {
		if !box.idle() {
			box.handing = true
			if box.stop != nil {
				box.stop()
			}
		}
	}
	if !r.mailed() {
		r.recording = min(r.recording, r.recorded)
	}
	r.await(r.lasting, time.Time{}, "", func() bool { return r.idle(r.lasting) })
}

// noticeOf says who is told what when an event leads away from a status. The empty event is the start. That a code is
// needed is HoldWindow's to tell, which knows whether anybody is there.
func noticeOf(from meterkey.Status, e event, reason meterkey.Reason) (meterkey.NoticeKind, []meterkey.Audience) {
	customer, requester := []meterkey.Audience{meterkey.ToCustomer}, []meterkey.Audience{meterkey.ToRequester}
	both := []meterkey.Audience{meterkey.ToCustomer, meterkey.ToRequester}
	switch e {
	case "":
		return meterkey.NoticeSignIn, customer
	case eventResend:
		if from == meterkey.AwaitingMFAOff {
			return meterkey.NoticeTurnMFAOff, customer
		}
		return meterkey.NoticeSignIn, customer
	case eventMFAUnsupported:
		return meterkey.NoticeTurnMFAOff, audiences(reason)
	case eventSignInAgain:
		return meterkey.NoticeSignInAgain, audiences(reason)
	case eventGiveUp:
		return meterkey.NoticeFailed, audiences(reason)
	case eventMetersRead:
		return meterkey.NoticeConnected, both
	case eventDecline:
		return meterkey.NoticeDeclined, requester
	case eventDeadline:
		return meterkey.NoticeExpired, both
	case eventCancel:
		return meterkey.NoticeCanceled, customer
	}
	return "", nil
}

// audiences are those whom the reasons' table has a text for.
func audiences(reason meterkey.Reason) []meterkey.Audience {
	var to []meterkey.Audience
	text := reason.Text()
	if text.Customer != "" {
		to = append(to, meterkey.ToCustomer)
	}
	if text.Requester != "" {
		to = append(to, meterkey.ToRequester)
	}
	return to
}
