package flow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

// fetch reads JSON from an address, from within the page and with the page's cookies, page by page where the file says so.
func (r *reader) fetch(ctx context.Context, step utilities.Reading, found scope, then func(scope) error) error {
	last := ""
	for page := 0; ; page++ {
		here := found.with("page", number(page+1)).with("offset", number(page*step.PageSize))
		items, err := r.items(ctx, step, here)
		if err != nil {
			return err
		}
		all := raw(items)
		if page > 0 && (len(items) == 0 || all == last) {
			return nil // the site may answer every page with its only one
		}
		if err := r.forEach(step, items, found, then); err != nil || step.PageSize == 0 {
			return err
		}
		last = all
	}
}

// items returns the items of one answer; none where the answer may be missing and is.
func (r *reader) items(ctx context.Context, step utilities.Reading, found scope) ([]gjson.Result, error) {
	if step.Optional && step.Bearer != "" && found.fill(step.Bearer) == "" {
		return nil, nil
	}
	answer, err := r.get(ctx, step, found)
	var at *stop
	if step.Optional && (errors.Is(err, errNoAccounts) || errors.As(err, &at) && at.Page == utilities.Unknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if step.Items == "" {
		return []gjson.Result{answer}, nil
	}
	list := answer.Get(step.Items)
	if !list.Exists() && !step.Optional {
		return nil, r.unexpected(ctx, step.Fetch+" answered without "+step.Items)
	}
	return list.Array(), nil
}

// get fetches one address. An answer that is no JSON, or refuses, stops the reading.
func (r *reader) get(ctx context.Context, step utilities.Reading, found scope) (gjson.Result, error) {
	call, err := r.request(ctx, step, found)
	if err != nil {
		return gjson.Result{}, err
	}
	var answer struct {
		Status int    `json:"status"`
		Body   string `json:"body"`
	}
	err = r.evaluateWithin(ctx, r.flow.RenderWait, nil, call, &answer)
	switch {
	case err != nil && (isStopped(err) || isGone(err)):
		return gjson.Result{}, r.wrap("fetching "+step.Fetch, err)
	case err != nil:
		return gjson.Result{}, r.unexpected(ctx, step.Fetch+" did not answer")
	case answer.Status == 401 || answer.Status == 440:
		return gjson.Result{}, &stop{Observation{Page: utilities.SessionEnded, Typed: r.typed}}
	case answer.Status >= 500 || answer.Status == 429:
		return gjson.Result{}, &stop{Observation{Page: utilities.Unavailable, Typed: r.typed}}
	case answer.Status >= 300 || !gjson.Valid(answer.Body):
		return gjson.Result{}, r.unexpected(ctx, fmt.Sprintf("%s answered with status %d and no JSON", step.Fetch, answer.Status))
	}
	return gjson.Parse(answer.Body), nil
}

// request is a fetch as page.js wants it.
func (r *reader) request(ctx context.Context, step utilities.Reading, found scope) (map[string]any, error) {
	address := found.address(step.Fetch)
	if !strings.HasPrefix(address, "/") {
		there, err := r.origins.Replace(address)
		if err != nil {
			return nil, fmt.Errorf("fetching %s: %w", step.Fetch, err)
		}
		address = there
	}
	headers := map[string]string{"Accept": "application/json"}
	authorization, err := r.authorization(ctx, step, found)
	if err != nil {
		return nil, err
	}
	if authorization != "" {
		headers["Authorization"] = authorization
	}
	call := map[string]any{"do": "get", "url": address, "method": "GET", "headers": headers}
	if step.Post != nil {
		headers["Content-Type"] = "application/json"
		call["method"], call["body"] = "POST", found.json(step.Post)
	}
	return call, nil
}

// authorization is what a fetch identifies itself with: a token found before, or what the page itself sends with a request of its
// own, which is waited for.
func (r *reader) authorization(ctx context.Context, step utilities.Reading, found scope) (string, error) {
	if step.Bearer != "" {
		return "Bearer " + found.fill(step.Bearer), nil
	}
	if step.BearerOf == "" {
		return "", nil
	}
	w := r.watch(r.flow.RenderWait)
	for {
		if sent := r.traffic.authorization(step.BearerOf); sent != "" {
			return sent, nil
		}
		s, err := w.next(ctx)
		if err != nil {
			return "", err
		}
		gone, err := r.missing(ctx, w, step, s)
		if gone {
			err = errNoAccounts // asking without the token would look like a session that has ended
		}
		if err != nil {
			return "", err
		}
	}
}

// unexpected ends the reading on an answer we do not understand: the page may tell that there are no accounts or that the session
// ended, else the site has changed.
func (r *reader) unexpected(ctx context.Context, what string) error {
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return err
	}
	if r.saysNoAccounts(utilities.Reading{}, s) {
		return errNoAccounts
	}
	switch kind := r.flow.recognise(s); kind {
	case utilities.SessionEnded, utilities.LoginForm, utilities.Unavailable, utilities.Captcha, utilities.Locked:
		return endedAtLogin(&stop{Observation{Page: kind, Typed: r.typed}})
	}
	seen := Observation{Page: utilities.Unknown, Typed: r.typed, Evidence: r.evidence(ctx, s)}
	seen.Evidence.Outline = "[" + what + "]\n" + seen.Evidence.Outline
	return &stop{seen}
}

func number(n int) gjson.Result { return gjson.Parse(strconv.Itoa(n)) }

// raw is the JSON of a list, for comparing lists.
func raw(items []gjson.Result) string {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(item.Raw)
	}
	return b.String()
}
