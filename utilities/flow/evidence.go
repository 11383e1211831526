package flow

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/utilities"
)

const (
	outlineLimit = 8 << 10
	redacted     = "[redacted]"
)

// observe is what the run sees on the page, with what the page asks. A page that was inferred, not recognised by its own words,
// comes with evidence.
func (r *Run) observe(ctx context.Context, kind utilities.PageKind, inferred bool, s snapshot) (Observation, error) {
	seen := Observation{Page: kind, Typed: r.typed}
	var err error
	if seen.Challenge, err = r.challenge(ctx, kind, s); err != nil {
		return Observation{}, err
	}
	if inferred {
		seen.Evidence = r.evidence(ctx, s)
	}
	r.log.Info("saw a page", zap.String("page", string(kind)), zap.Bool("inferred", inferred))
	return seen, nil
}

// evidence takes what can be had of a page. It is never a reason to fail.
func (r *Run) evidence(ctx context.Context, s snapshot) *Evidence {
	e := &Evidence{URL: withoutQuery(s.url)}
	var err error
	if e.Screenshot, err = r.screenshot(ctx); err != nil {
		r.log.Warn("no screenshot", zap.Error(r.wrap("taking a screenshot", err)))
	}
	if e.Outline, err = r.outline(ctx); err != nil {
		r.log.Warn("no outline", zap.Error(r.wrap("outlining the page", err)))
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
func (r *Run) screenshot(ctx context.Context) ([]byte, error) {
	page, err := r.current()
	if err != nil {
		return nil, err
	}
	covered := []playwright.Locator{page.Locator(fields)}
	if err := r.eachFrame(ctx, nil, func(frames []int) {
		covered = append(covered, locator(page, frames, fields))
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

// eachFrame calls a function with every frame that shows, but not the page itself.
func (r *Run) eachFrame(ctx context.Context, frames []int, do func(frames []int)) error {
	var view frameView
	call := map[string]any{"do": "look", "elements": []any{}, "texts": []string{}}
	if err := r.evaluate(ctx, frames, call, &view); err != nil {
		return err
	}
	if len(frames) == maxFrameDepth {
		return nil
	}
	for _, nth := range view.Frames {
		inner := append(append([]int{}, frames...), nth)
		do(inner)
		if err := r.eachFrame(ctx, inner, do); err != nil {
			return err
		}
	}
	return nil
}

// outline lists headings, fields and buttons, without values and without what may be personal.
func (r *Run) outline(ctx context.Context) (string, error) {
	all := [][]int{nil}
	if err := r.eachFrame(ctx, nil, func(frames []int) { all = append(all, frames) }); err != nil {
		return "", err
	}
	var parts []string
	for _, frames := range all {
		var part string
		if err := r.evaluate(ctx, frames, map[string]any{"do": "outline"}, &part); err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return r.redact(strings.Join(parts, "\nin a frame:\n")), nil
}

var (
	digits   = regexp.MustCompile(`\d[\d -]{2,}\d|\d{3,}`)
	greeting = regexp.MustCompile(`(?i)\b(welcome|hello|hi|signed in as|logged in as)\b[^\n]*`)
)

// redact takes out of a text what may be somebody's: addresses, numbers, names after a greeting, and what was typed.
func (r *Run) redact(text string) string {
	text = strings.ToValidUTF8(text, "") // first: what goes must not join what stood around it
	for _, secret := range r.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	text = email.ReplaceAllString(text, "[address]")
	text = digits.ReplaceAllString(text, "[number]")
	text = greeting.ReplaceAllString(text, "$1 …")
	return strings.ToValidUTF8(text[:min(len(text), outlineLimit)], "")
}
