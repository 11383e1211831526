package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// ErrUnavailable is returned by Probe for a site that is down or does not answer.
var ErrUnavailable = errors.New("the site is down or does not answer")

// Probe opens the login page and says which of the file's login fields stand on it. It types nothing, so fields that come only
// after the user name was sent are not found.
func (r *Run) Probe(ctx context.Context) ([]meterkey.ProbedField, error) {
	if err := r.openLoginPage(ctx); err != nil {
		seen, err := stoppedAt(err)
		if err != nil {
			return nil, err
		}
		if seen.Page == utilities.Unavailable {
			return nil, ErrUnavailable
		}
	}
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	return fieldsIn(s, r.flow.SignIn.Steps), nil
}

func fieldsIn(s snapshot, steps []utilities.Step) []meterkey.ProbedField {
	fields := make([]meterkey.ProbedField, len(steps))
	for i, step := range steps {
		key := "press"
		if step.Type != "" {
			key = "into"
		}
		fields[i] = meterkey.ProbedField{
			Field:    fmt.Sprintf("flow.sign_in.steps[%d].%s", i, key),
			Selector: step.Target().String(),
			Found:    s.shows(step.Target()),
		}
	}
	return fields
}
