package utilities

import (
	"context"
	"fmt"
	"strings"

	"github.com/playwright-community/playwright-go"
)

// Probe opens the login page and says which of the file's login fields stand on it. It types nothing, so fields that come only after
// the user name was sent are not found. A site that is down is an error here.
func (u *Utility) Probe(ctx context.Context, page playwright.Page, origins Origins) ([]FieldFound, error) {
	v := u.Visit(func() playwright.Page { return page }, VisitOptions{Origins: origins})
	defer v.Close()
	kind, err := v.open(ctx, u.Flow.SignIn.Open)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		return nil, fmt.Errorf("probing %s: the site does not answer", u.ID)
	}
	if _, sight, err := v.reach(ctx, u.Flow.SignIn.Steps[0].target(), LoginForm); err != nil {
		return nil, err
	} else if sight != nil && sight.Page == Unavailable {
		return nil, fmt.Errorf("probing %s: the site is down", u.ID)
	}
	s, err := v.lookSoon(ctx)
	if err != nil {
		return nil, v.fault("looking at the page", err)
	}
	return u.Flow.SignIn.found(s), nil
}

func (s SignIn) found(snapshot Snapshot) []FieldFound {
	list := make([]FieldFound, len(s.Steps))
	for i, step := range s.Steps {
		key := "press"
		if step.Type != "" {
			key = "into"
		}
		list[i] = FieldFound{
			Field:    fmt.Sprintf("flow.sign_in.steps[%d].%s", i, key),
			Selector: step.target().String(),
			Found:    snapshot.shows(step.target()),
		}
	}
	return list
}

// String is how a target is shown to people.
func (t Target) String() string {
	texts := make([]string, len(t))
	for i, element := range t {
		texts[i] = element.String()
	}
	return strings.Join(texts, " or ")
}
