package flow

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

// precedence decides between pages whose signs stand at the same time. What stops everything comes first, then what a site says
// about the latest act, then what lies over a page, then forms, and last being signed in: a login form may stay visible under a
// message, a dashboard's address may stay while a form covers it. A code form comes before a choice, because a site that already
// asks for the code has sent it.
var precedence = []utilities.PageKind{
	utilities.Captcha, utilities.Unavailable, utilities.Locked, utilities.PasswordExpired, utilities.RegistrationUnfinished,
	utilities.RejectedCode, utilities.RejectedLogin, utilities.SessionEnded, utilities.Nag, utilities.QuestionForm, utilities.CodeForm,
	utilities.ChoiceForm, utilities.SignedIn, utilities.LoginForm,
}

// mayLinger are the pages that prove something only when they are new: messages and forms that may still stand from before.
var mayLinger = []utilities.PageKind{
	utilities.Locked, utilities.PasswordExpired, utilities.RegistrationUnfinished, utilities.RejectedCode, utilities.RejectedLogin,
	utilities.SessionEnded, utilities.QuestionForm, utilities.CodeForm, utilities.ChoiceForm, utilities.LoginForm,
}

// recogniser tells which page a snapshot shows, by the marks of one flow.
type recogniser struct{ *utilities.Flow }

// recognise goes by fresh evidence only. A document still without a body shows nothing yet.
func (f recogniser) recognise(s snapshot) utilities.PageKind {
	if !s.loaded {
		if f.implied(utilities.Unavailable, s) {
			return utilities.Unavailable
		}
		return utilities.Unknown
	}
	for _, kind := range precedence {
		if !slices.Contains(s.excluded, kind) && f.holds(kind, s, s.stale[kind]) {
			return kind
		}
	}
	return utilities.Unknown
}

// lingering returns the pages that may linger whose signs stand on the page itself, whatever its answers said.
func (f recogniser) lingering(s snapshot) map[utilities.PageKind]bool {
	s.answers = nil
	found := map[utilities.PageKind]bool{}
	for _, kind := range mayLinger {
		if f.holds(kind, s, false) {
			found[kind] = true
		}
	}
	return found
}

// holds says whether a page's signs stand; with freshOnly, only those count that an answer gave.
func (f recogniser) holds(kind utilities.PageKind, s snapshot, freshOnly bool) bool {
	for _, mark := range f.Pages[kind] {
		if (!freshOnly || mark.Answer != "") && s.bears(mark) {
			return true
		}
	}
	return !freshOnly && f.implied(kind, s)
}

// implied are the signs that need no mark: a form is there when what it is filled in with shows.
func (f recogniser) implied(kind utilities.PageKind, s snapshot) bool {
	switch kind {
	case utilities.Unavailable:
		return s.status >= 500 || s.status == 429 || strings.HasPrefix(s.url, "chrome-error:")
	case utilities.Nag:
		return f.nag(s) != nil
	case utilities.LoginForm:
		return slices.ContainsFunc(f.SignIn.Steps, func(step utilities.Step) bool { return step.Type != "" && s.shows(step.Into) })
	case utilities.CodeForm:
		return f.Code != nil && s.shows(f.Code.Field)
	case utilities.QuestionForm:
		return f.questionHasOwnField() && s.shows(f.Question.Field)
	case utilities.ChoiceForm:
		return f.Choice != nil && s.shows(f.Choice.Options)
	}
	return false
}

// questionHasOwnField tells a question that is answered elsewhere than where a code is typed.
func (f recogniser) questionHasOwnField() bool {
	return f.Question != nil && (f.Code == nil || !slices.Equal(f.Question.Field, f.Code.Field))
}

// nag returns what is in the way and can be dismissed, or nil.
func (f recogniser) nag(s snapshot) *utilities.Dismissal {
	for i, nag := range f.Nags {
		if !slices.Contains(s.dismissed, &f.Nags[i]) && s.shows(nag.Press) && (nag.When == nil || s.bears(*nag.When)) {
			return &f.Nags[i]
		}
	}
	return nil
}

// entry says which form stands on the page: the code's, unless the question's does. It is nil where the file says nothing of it.
func (f recogniser) entry(s snapshot) (utilities.PageKind, *utilities.Entry) {
	if f.Question != nil && f.holds(utilities.QuestionForm, s, false) {
		return utilities.QuestionForm, f.Question
	}
	return utilities.CodeForm, f.Code
}

// bears says whether all that a mark names holds.
func (s snapshot) bears(m utilities.Mark) bool {
	return (!m.URL.Given() || m.URL.MatchString(s.url)) &&
		(len(m.Visible) == 0 || s.shows(m.Visible)) &&
		(len(m.Hidden) == 0 || !s.shows(m.Hidden)) &&
		(len(m.Text) == 0 || slices.ContainsFunc(m.Text, func(text string) bool { return s.texts[text] })) &&
		(m.Answer == "" || slices.ContainsFunc(s.answers, func(a answer) bool { return a.bears(m) }))
}

// bears says whether this is the answer that a mark names, and says what the mark wants.
func (a answer) bears(m utilities.Mark) bool {
	if a.name != m.Answer || m.Status != 0 && a.status != m.Status {
		return false
	}
	for path, condition := range m.Where {
		if !condition.Holds(gjson.Get(a.body, path)) {
			return false
		}
	}
	return true
}
