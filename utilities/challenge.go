package utilities

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"go.uber.org/zap"
)

// backAtLogin: a login form after a challenge means that the site ended the session.
func backAtLogin(more doubts) doubts {
	if more.fresh == nil {
		more.fresh = map[PageKind]PageKind{}
	}
	more.fresh[LoginForm] = SessionEnded
	return more
}

// Choose picks one of a choice form's options and returns what follows.
func (v *Visit) Choose(ctx context.Context, optionID string) (Sight, error) {
	v.static, v.beside = nil, []PageKind{RejectedLogin, RejectedCode}
	options, err := v.options(ctx)
	if err != nil {
		return Sight{}, err
	}
	spot, ok := options.spot(optionID)
	if !ok {
		return Sight{}, fmt.Errorf("option %q: %w", optionID, ErrNotOffered)
	}
	if err := v.begin(ctx); err != nil {
		return Sight{}, err
	}
	if err := v.press(ctx, spot); err != nil {
		return Sight{}, v.fault("choosing an option", err)
	}
	if len(v.flow.Choice.Submit) > 0 {
		if sight, err := v.pressTarget(ctx, v.flow.Choice.Submit, ChoiceForm); err != nil || sight != nil {
			return orNone(sight), err
		}
	}
	v.log.Info("option chosen")
	return v.await(ctx, v.flow.RenderWait, backAtLogin(doubts{}))
}

// SubmitCode types a code or a security answer, after calling Once with the given step, and returns what follows. It is typed at
// most once; a form that comes back without a known message means that the site did not take it.
func (v *Visit) SubmitCode(ctx context.Context, code, step string) (Sight, error) {
	defer v.keeping(code)()
	v.static, v.beside = nil, []PageKind{RejectedLogin}
	kind, entry, err := v.entry(ctx)
	if err != nil {
		return Sight{}, err
	}
	spot, sight, err := v.reachEntry(ctx, entry)
	if err != nil || sight != nil {
		return orNone(sight), err
	}
	if err := v.begin(ctx); err != nil {
		return Sight{}, err
	}
	if err := v.once(step); err != nil {
		return Sight{}, fmt.Errorf("before typing the code: %w", err)
	}
	if err := v.keys(ctx, spot, code); err != nil {
		return Sight{}, v.fault("typing the code", err)
	}
	if len(entry.Submit) > 0 {
		if sight, err := v.pressTarget(ctx, entry.Submit, CodeForm, QuestionForm); err != nil || sight != nil {
			return orNone(sight), err
		}
	}
	v.log.Info("code submitted", zap.String("step", step))
	return v.await(ctx, v.flow.RenderWait, backAtLogin(doubts{
		fresh: map[PageKind]PageKind{kind: RejectedCode},
		stale: map[PageKind]PageKind{RejectedCode: RejectedCode},
		late:  map[PageKind]PageKind{kind: RejectedCode},
	}))
}

// entry says which form stands on the page: the code's or the question's.
func (v *Visit) entry(ctx context.Context) (PageKind, *Entry, error) {
	s, err := v.lookSoon(ctx)
	if err != nil {
		return "", nil, v.fault("looking at the page", err)
	}
	kind, entry := v.entryIn(s)
	if entry == nil {
		return "", nil, fmt.Errorf("typing a code: the file of %s says nothing of one", v.utility.ID)
	}
	return kind, entry, nil
}

func (v *Visit) entryIn(s Snapshot) (PageKind, *Entry) {
	if v.flow.Question != nil && v.flow.holds(QuestionForm, s, false) {
		return QuestionForm, v.flow.Question
	}
	return CodeForm, v.flow.Code
}

// reachEntry waits for the field. A message above it is no reason not to type; a login form means that the session has ended.
func (v *Visit) reachEntry(ctx context.Context, entry *Entry) (Spot, *Sight, error) {
	v.before = before{}
	spot, sight, err := v.reach(ctx, entry.Field, CodeForm, QuestionForm, RejectedCode)
	if sight != nil && sight.Page == LoginForm {
		sight.Page = SessionEnded
	}
	return spot, sight, err
}

// SendAgain presses the site's own "send again" and returns what follows, usually the same form; or ErrNotOffered.
func (v *Visit) SendAgain(ctx context.Context) (Sight, error) {
	v.static, v.beside = nil, []PageKind{RejectedLogin, RejectedCode}
	s, err := v.lookSoon(ctx)
	if err != nil {
		return Sight{}, v.fault("looking at the page", err)
	}
	kind, entry := v.entryIn(s)
	if entry == nil {
		return Sight{}, ErrNotOffered
	}
	spot, ok := s.spot(entry.SendAgain)
	if !ok || !spot.Enabled {
		return Sight{}, ErrNotOffered
	}
	if err := v.begin(ctx); err != nil {
		return Sight{}, err
	}
	if err := v.press(ctx, spot); err != nil {
		return Sight{}, v.fault("pressing send again", err)
	}
	v.log.Info("asked the site to send the code again")
	return v.await(ctx, v.flow.RenderWait, backAtLogin(doubts{stale: map[PageKind]PageKind{kind: kind}}))
}

// challenge reads what a form asks, or nil for a page that asks nothing.
func (v *Visit) challenge(ctx context.Context, kind PageKind, s Snapshot) (*Challenge, error) {
	switch kind {
	case ChoiceForm:
		options, err := v.options(ctx)
		if err != nil {
			return nil, err
		}
		return &Challenge{Kind: MethodChoice, Options: options.public()}, nil
	case CodeForm, QuestionForm, RejectedCode:
		return v.entryChallenge(ctx, kind, s)
	}
	return nil, nil
}

func (v *Visit) entryChallenge(ctx context.Context, kind PageKind, s Snapshot) (*Challenge, error) {
	standing, entry := v.entryIn(s)
	if kind == QuestionForm {
		standing, entry = QuestionForm, v.flow.Question
	}
	if entry == nil {
		return nil, nil
	}
	c := &Challenge{Kind: NumberCode, Digits: entry.Digits, Tries: entry.Tries}
	if standing == QuestionForm {
		c.Kind, c.Digits = SecurityAnswer, 0
	}
	again, ok := s.spot(entry.SendAgain)
	c.CanSendAgain = ok && again.Enabled
	prompt, err := v.promptOf(ctx, entry, s)
	if err != nil {
		return nil, err
	}
	sentTo, err := v.words(ctx, entry.SentTo, s)
	if err != nil {
		return nil, err
	}
	around, err := v.tell(ctx, "around", entry.Field, s)
	if err != nil {
		return nil, err
	}
	c.Prompt, c.SentTo = maskContacts(prompt), maskedContact(sentTo, prompt, around)
	return c, nil
}

// promptOf reads the site's request: from its answer, from where the file says, or from what goes with the field.
func (v *Visit) promptOf(ctx context.Context, entry *Entry, s Snapshot) (string, error) {
	if from := entry.PromptFrom; from != nil {
		for _, answer := range s.Answers {
			if text := gjson.Get(answer.Body, from.Path).String(); answer.Name == from.Name && text != "" {
				return text, nil
			}
		}
	}
	if text, err := v.words(ctx, entry.Prompt, s); err != nil || text != "" {
		return text, err
	}
	return v.tell(ctx, "prompt", entry.Field, s)
}

// words reads a target's text; "" when it does not show.
func (v *Visit) words(ctx context.Context, target Target, s Snapshot) (string, error) {
	return v.tell(ctx, "text", target, s)
}

func (v *Visit) tell(ctx context.Context, what string, target Target, s Snapshot) (string, error) {
	spot, ok := s.spot(target)
	if !ok {
		return "", nil
	}
	var text string
	err := v.ask(ctx, spot.Frames, map[string]any{"do": what, "target": asked(target)}, &text)
	if err != nil && isPassing(err) {
		return "", nil // the words went with their page; what follows is looked at next
	}
	return text, v.fault("reading the page", err)
}

// offered are the options of a choice form and where they stand.
type offered []struct {
	Value  string `json:"value"`
	Label  string `json:"label"`
	Target string `json:"target"`
	Spot   Spot   `json:"spot"`
}

func (v *Visit) options(ctx context.Context) (offered, error) {
	choice := v.flow.Choice
	if choice == nil {
		return nil, ErrNotOffered
	}
	s, err := v.lookSoon(ctx)
	if err != nil {
		return nil, v.fault("looking at the page", err)
	}
	spot, ok := s.spot(choice.Options)
	if !ok {
		return nil, nil
	}
	found, err := v.offers(ctx, spot, choice.Options, choice.Targets)
	return found, v.fault("reading the options", err)
}

// offers reads every element that a target matches, with what goes with it.
func (v *Visit) offers(ctx context.Context, at Spot, target Target, places map[string]Target) (offered, error) {
	targets := map[string]any{}
	for value, place := range places {
		targets[value] = asked(place)
	}
	var found offered
	question := map[string]any{"do": "options", "target": asked(target), "targets": targets}
	if err := v.ask(ctx, at.Frames, question, &found); err != nil {
		return nil, err
	}
	for i := range found {
		found[i].Spot.Frames = at.Frames
	}
	return found, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,30}$`)

// id is the option's own value where that is a plain word, else its place: a value may hold a phone number.
func (o offered) id(i int) string {
	value := o[i].Value
	if !plainName.MatchString(value) {
		return "option-" + strconv.Itoa(i+1)
	}
	for j := range o {
		if j != i && o[j].Value == value {
			return value + "-" + strconv.Itoa(i+1)
		}
	}
	return value
}

func (o offered) public() []Option {
	list := make([]Option, len(o))
	for i, option := range o {
		list[i] = Option{
			ID: o.id(i), Label: maskContacts(option.Label), Target: maskedContact(option.Target, option.Label),
		}
	}
	return list
}

func (o offered) spot(id string) (Spot, bool) {
	for i := range o {
		if o.id(i) == id {
			return o[i].Spot, true
		}
	}
	return Spot{}, false
}

var (
	email = regexp.MustCompile(`[\w.+*•-]+@[\w.*•-]*[\w*•]`)
	phone = regexp.MustCompile(`\+?[(\dxX*•][\dxX*•()\-. ]{5,}[\dxX*•]`)
)

// maskContacts hides what is left unmasked of e-mail addresses and telephone numbers.
func maskContacts(text string) string {
	text = email.ReplaceAllStringFunc(text, maskEmail)
	return phone.ReplaceAllStringFunc(text, maskPhone)
}

func maskEmail(address string) string {
	name, host, _ := strings.Cut(address, "@")
	if strings.ContainsAny(name, "*•") {
		return address
	}
	return name[:1] + "***@" + host
}

// maskPhone leaves a number of which the site shows only a part. A bullet or a star before a whole number is no mask.
func maskPhone(number string) string {
	const whole = 7 // digits of a number without its area code
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) < whole {
		return number
	}
	return "***" + digits[len(digits)-4:]
}

// maskedContact finds the masked number or address in the first of the texts that has one.
func maskedContact(texts ...string) string {
	for _, text := range texts {
		for _, kind := range []*regexp.Regexp{email, phone} {
			for _, found := range kind.FindAllString(text, -1) {
				if strings.ContainsAny(found, "0123456789@") {
					return strings.TrimSpace(maskContacts(found))
				}
			}
		}
	}
	return ""
}
