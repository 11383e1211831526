package workflows

import (
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
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
func readSignal(name string, p *commonpb.Payload) message {
	s := message{name: name}
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

// takeUpdates answers the updates, which say at once whether something counts.
func (r *runner) takeUpdates(ctx workflow.Context) {
	takeUpdate(ctx, r, meterkey.UpdateSubmitLogin, func(in meterkey.SubmitLogin) message {
		return message{name: meterkey.SignalSubmitLogin, login: in}
	})
	takeUpdate(ctx, r, meterkey.UpdateSubmitCode, func(in meterkey.SubmitCode) message {
		return message{name: meterkey.SignalSubmitCode, code: in}
	})
	takeUpdate(ctx, r, meterkey.UpdateChoose, func(in meterkey.Choose) message {
		return message{name: meterkey.UpdateChoose, choose: in}
	})
}

// takeUpdate answers one kind of update: the validator refuses what does not count, without a trace in the history; what
// counts is answered with the state that it leads to.
func takeUpdate[T any](ctx workflow.Context, r *runner, name string, read func(T) message) {
	handle := func(ctx workflow.Context, in T) (meterkey.State, error) {
		before := r.State.Revision
		r.accept(read(in))
		err := workflow.Await(ctx, func() bool { return r.State.Revision > before })
		return r.State, err
	}
	validate := func(in T) error {
		if why := r.refusal(read(in)); why != "" {
			return temporal.NewNonRetryableApplicationError(why, meterkey.ErrTypeNotAwaited, nil)
		}
		return nil
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, name, handle, workflow.UpdateHandlerOptions{Validator: validate}); err != nil {
		panic(err) // a defect: see Progress.apply
	}
}
