package utilities

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
)

// check tells what a schema cannot say, and fills in what the file leaves to us.
func (d *document) check(u *Utility) error {
	c := &checker{document: d, flow: &u.Flow, names: map[string]bool{}}
	c.who(u)
	c.signIn()
	c.marks()
	c.forms(u.MFA)
	c.reading()
	if len(c.found) > 0 {
		return errors.Join(c.found...)
	}
	return u.Flow.prepare()
}

type checker struct {
	*document
	flow  *Flow
	names map[string]bool // what the reading steps have found so far
	found []error
}

func (c *checker) wrong(problem string, path ...string) {
	c.found = append(c.found, c.mistake(problem, path...))
}

func (c *checker) who(u *Utility) {
	if _, err := time.Parse(time.DateOnly, u.MFA.Confirmed); err != nil {
		c.wrong(fmt.Sprintf("%q is not a date like 2026-11-23", u.MFA.Confirmed), "mfa", "confirmed")
	}
	if u.MFA.Policy == TurnOff && u.MFA.FAQ == "" {
		c.wrong("is missing: a customer who has to turn the second factor off needs the utility's page on it", "mfa", "faq")
	}
	values := c.values()
	for i, field := range u.Unverified {
		if !reaches(values, undotted(field)) {
			c.wrong(fmt.Sprintf("there is no field %s", field), "unverified", strconv.Itoa(i))
		}
	}
}

// reaches says whether a path leads to something.
func reaches(value any, path []string) bool {
	for _, key := range path {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[key]
			if !ok {
				return false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			value = v[i]
		default:
			return false
		}
	}
	return len(path) > 0
}

func (c *checker) signIn() {
	c.address(c.flow.SignIn.Open, "flow", "sign_in", "open")
	typed := map[string]int{}
	for i, step := range c.flow.SignIn.Steps {
		at := []string{"flow", "sign_in", "steps", strconv.Itoa(i)}
		if (step.Type != "") != (len(step.Into) > 0) || (step.Type != "") == (len(step.Press) > 0) {
			c.wrong("says either type and into, or press", at...)
		}
		typed[step.Type]++
		c.target(step.Into, append(at, "into")...)
		c.target(step.Press, append(at, "press")...)
	}
	for _, what := range []string{"username", "password"} {
		if typed[what] != 1 {
			c.wrong(fmt.Sprintf("type the %s exactly once", what), "flow", "sign_in", "steps")
		}
	}
}

func (c *checker) address(text string, path ...string) {
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		c.wrong(fmt.Sprintf("%q is not an address like https://www.example.com/login", text), path...)
	}
}

func (c *checker) target(t Target, path ...string) {
	for _, element := range t {
		if !balanced(element.CSS) {
			c.wrong(fmt.Sprintf("%q is not a selector: a bracket or quotation mark is not closed", element.CSS), path...)
		}
	}
}

// balanced catches the slips that make a selector unreadable; a browser is the only full judge of selectors.
func balanced(css string) bool {
	var open []rune
	closing := map[rune]rune{'(': ')', '[': ']', '"': '"', '\'': '\''}
	for _, r := range css {
		top := len(open) - 1
		switch {
		case top >= 0 && r == open[top]:
			open = open[:top]
		case top >= 0 && (open[top] == '"' || open[top] == '\''): // inside quotation marks everything goes
		case closing[r] != 0:
			open = append(open, closing[r])
		case r == ')' || r == ']':
			return false
		}
	}
	return len(open) == 0 && strings.TrimSpace(css) != ""
}

func (c *checker) pattern(p Pattern, path ...string) {
	if p.Given() && p.Regexp == nil {
		c.wrong(fmt.Sprintf("%q is not a regular expression", p.text), path...)
	}
}

func (c *checker) marks() {
	for name, answer := range c.flow.Answers {
		c.pattern(answer.URL, "flow", "answers", name, "url")
	}
	for _, kind := range slices.Sorted(maps.Keys(c.flow.Pages)) {
		c.markList(c.flow.Pages[kind], "flow", "pages", string(kind))
	}
	for i, nag := range c.flow.Nags {
		at := []string{"flow", "nags", strconv.Itoa(i)}
		c.target(nag.Press, append(at, "press")...)
		if nag.When != nil {
			c.mark(nag.When, append(at, "when")...)
		}
	}
}

func (c *checker) markList(marks []Mark, path ...string) {
	for i := range marks {
		c.mark(&marks[i], append(slices.Clone(path), strconv.Itoa(i))...)
	}
}

func (c *checker) mark(m *Mark, path ...string) {
	at := func(keys ...string) []string { return append(slices.Clone(path), keys...) }
	c.pattern(m.URL, at("url")...)
	c.target(m.Visible, at("visible")...)
	c.target(m.Hidden, at("hidden")...)
	if m.Answer != "" {
		c.answer(m.Answer, at("answer")...)
	} else if len(m.Where) > 0 || m.Status != 0 {
		c.wrong("is missing: status and where speak of an answer", at("answer")...)
	}
	for key, condition := range m.Where {
		c.pattern(condition.Like, at("where", key, "like")...)
	}
}

func (c *checker) answer(name string, path ...string) {
	if _, ok := c.flow.Answers[name]; !ok {
		c.wrong(fmt.Sprintf("flow.answers names no %q", name), path...)
	}
}

func (c *checker) forms(mfa MFA) {
	f := c.flow
	if f.Code == nil && (mfa.Policy == Interactive || len(mfa.Kinds) > 0) {
		c.wrong("is missing: how would the code be typed, or the second factor be noticed?", "flow", "code")
	}
	if f.Choice == nil && slices.Contains(mfa.Kinds, meterkey.MethodChoice) {
		c.wrong("is missing, yet mfa.kinds names method_choice", "flow", "choice")
	}
	for name, entry := range map[string]*Entry{"code": f.Code, "question": f.Question} {
		if entry == nil {
			continue
		}
		for key, target := range entry.targets() {
			c.target(target, "flow", name, key)
		}
		if entry.PromptFrom != nil {
			c.answer(entry.PromptFrom.Name, "flow", name, "prompt_from", "answer")
		}
	}
	if f.Choice != nil {
		c.target(f.Choice.Options, "flow", "choice", "options")
		c.target(f.Choice.Submit, "flow", "choice", "submit")
	}
}

func (e *Entry) targets() map[string]Target {
	return map[string]Target{"field": e.Field, "submit": e.Submit, "prompt": e.Prompt, "sent_to": e.SentTo, "send_again": e.SendAgain}
}
