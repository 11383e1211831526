package utilities

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"
)

const outlineLimit = 8 << 10

// sight is what the visit saw, with what the page asks.
func (v *Visit) sight(ctx context.Context, kind PageKind, s Snapshot) (Sight, error) {
	return v.doubtfulSight(ctx, kind, kind == Unknown, s)
}

// doubtfulSight adds evidence where the page's own words were not recognised.
func (v *Visit) doubtfulSight(ctx context.Context, kind PageKind, doubtful bool, s Snapshot) (Sight, error) {
	sight := Sight{Page: kind, Typed: v.typed}
	var err error
	if sight.Challenge, err = v.challenge(ctx, kind, s); err != nil {
		return Sight{}, err
	}
	if doubtful {
		sight.Evidence = v.evidence(ctx, s)
	}
	v.log.Info("saw a page", zap.String("page", string(kind)), zap.Bool("doubtful", doubtful))
	return sight, nil
}

// evidence takes what can be had of a page. It is never a reason to fail.
func (v *Visit) evidence(ctx context.Context, s Snapshot) *Evidence {
	e := &Evidence{URL: withoutQuery(s.URL)}
	var err error
	if e.Screenshot, err = v.screenshot(ctx); err != nil {
		v.log.Warn("no screenshot", zap.Error(v.fault("taking a screenshot", err)))
	}
	if e.Outline, err = v.outline(ctx); err != nil {
		v.log.Warn("no outline", zap.Error(v.fault("outlining the page", err)))
	}
	return e
}

func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

const fields = "input, textarea, select, [contenteditable]"

// screenshot covers every field, in frames too, and makes texts in them invisible besides.
func (v *Visit) screenshot(ctx context.Context) ([]byte, error) {
	page, err := v.current()
	if err != nil {
		return nil, err
	}
	covered := []playwright.Locator{page.Locator(fields)}
	if err := v.eachFrame(ctx, nil, func(frames []int) {
		covered = append(covered, locate(page, frames, fields))
	}); err != nil {
		return nil, err
	}
	return within(ctx, 2*callWait, func() ([]byte, error) {
		return page.Screenshot(playwright.PageScreenshotOptions{
			Mask:    covered,
			Style:   playwright.String(fields + " { color: transparent !important; -webkit-text-security: disc !important; }"),
			Timeout: playwright.Float(float64(callWait.Milliseconds())),
		})
	})
}

// eachFrame visits every frame that shows, but not the page itself.
func (v *Visit) eachFrame(ctx context.Context, frames []int, visit func(frames []int)) error {
	var g glimpse
	question := map[string]any{"do": "look", "elements": []any{}, "texts": []string{}}
	if err := v.ask(ctx, frames, question, &g); err != nil {
		return err
	}
	if len(frames) == deepest {
		return nil
	}
	for _, nth := range g.Frames {
		inner := append(append([]int{}, frames...), nth)
		visit(inner)
		if err := v.eachFrame(ctx, inner, visit); err != nil {
			return err
		}
	}
	return nil
}

// outline lists headings, fields and buttons, without values and without what may be personal.
func (v *Visit) outline(ctx context.Context) (string, error) {
	all := [][]int{nil}
	if err := v.eachFrame(ctx, nil, func(frames []int) { all = append(all, frames) }); err != nil {
		return "", err
	}
	var parts []string
	for _, frames := range all {
		var part string
		if err := v.ask(ctx, frames, map[string]any{"do": "outline"}, &part); err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return v.impersonal(strings.Join(parts, "\nin a frame:\n")), nil
}

var (
	digits   = regexp.MustCompile(`\d[\d -]{2,}\d|\d{3,}`)
	greeting = regexp.MustCompile(`(?i)\b(welcome|hello|hi|signed in as|logged in as)\b[^\n]*`)
)

// impersonal takes out of a text what may be somebody's: addresses, numbers, names after a greeting, and what was typed.
func (v *Visit) impersonal(text string) string {
	text = strings.ToValidUTF8(text, "") // first: what goes must not join what stood around it
	for _, secret := range v.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	text = email.ReplaceAllString(text, "[address]")
	text = digits.ReplaceAllString(text, "[number]")
	text = greeting.ReplaceAllString(text, "$1 …")
	return strings.ToValidUTF8(text[:min(len(text), outlineLimit)], "")
}
