package main

import (
	"context"
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
)

type statusCmd struct {
	ID string `arg:"" help:"The request's id."`
}

// Help is the command's longer help.
func (statusCmd) Help() string {
	return `Tells where the request stands, who has to act, until when, and how it came there.

  starter status r-1042
  starter status r-1042 -o json | jq -r .status`
}

// Run prints the state.
func (c *statusCmd) Run(ctx context.Context, a *app) error {
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	s, err := b.state(ctx, c.ID)
	if err != nil {
		return err
	}
	a.showState(s)
	return nil
}

// showState prints a state to standard output.
func (a *app) showState(s meterkey.State) {
	if a.json {
		a.out.json(s)
		return
	}
	now := time.Now()
	a.out.facts(stateFacts(a.out, s, now)...)
	a.out.linef("")
	for _, m := range s.Timeline {
		a.out.linef("%s", moment(a.out, m, now))
	}
	for _, i := range s.Ignored {
		a.out.linef("%s  %s", a.out.in(dim, clock(i.At, now)), a.out.in(dim, "ignored "+i.Signal+": "+oneLine(i.Why)))
	}
}

func stateFacts(p *printer, s meterkey.State, now time.Time) [][2]string {
	facts := [][2]string{
		{"request", p.in(bold, s.RequestID)},
		{"requester", s.Requester},
		{"utility", utilityName(s.Utility)},
		{"status", p.status(s.Status)},
		{"reason", string(s.Reason)},
		{"waits on", waitsOn(s)},
		{"since", clock(s.Since, now)},
	}
	if s.Until != nil {
		facts = append(facts, [2]string{"until", clock(*s.Until, now) + ", " + left(*s.Until, now) + " left"})
	}
	facts = append(facts, [2]string{"message", oneLine(s.Message)})
	facts = append(facts, challengeFacts(s.Challenge)...)
	if len(s.Meters) > 0 {
		facts = append(facts, [2]string{"meters", count(len(s.Meters), "meter")})
	}
	return append(facts, [2]string{"next", next(s)})
}

func waitsOn(s meterkey.State) string {
	if s.WaitingOn == meterkey.Nobody {
		return ""
	}
	return string(s.WaitingOn)
}

func challengeFacts(c *meterkey.Challenge) [][2]string {
	if c == nil {
		return nil
	}
	facts := [][2]string{{"asked", oneLine(c.Prompt)}, {"sent to", oneLine(c.SentTo)}}
	for i, o := range c.Options {
		facts = append(facts, [2]string{fmt.Sprintf("option %d", i+1), optionText(o)})
	}
	if c.Digits > 0 {
		facts = append(facts, [2]string{"digits", fmt.Sprint(c.Digits)})
	}
	if c.Kind != meterkey.MethodChoice {
		facts = append(facts, [2]string{"tries left", fmt.Sprint(c.TriesLeft)})
	}
	return facts
}

func optionText(o meterkey.Option) string {
	return oneLine(o.Text()) + " [" + oneLine(o.ID) + "]"
}

// next is the command that takes the request on, empty while there is nothing to do.
func next(s meterkey.State) string {
	switch s.Status {
	case meterkey.AwaitingLogin, meterkey.AwaitingMFAOff:
		return "starter login " + s.RequestID
	case meterkey.AwaitingChoice:
		return "starter choose " + s.RequestID
	case meterkey.AwaitingCode:
		return "starter code " + s.RequestID
	case meterkey.Connected:
		return "starter meters " + s.RequestID
	case meterkey.Failed, meterkey.Expired, meterkey.Declined, meterkey.Canceled:
		return "starter resend " + s.RequestID
	default:
		return "starter watch " + s.RequestID
	}
}

func moment(p *printer, m meterkey.Moment, now time.Time) string {
	line := p.in(dim, clock(m.At, now)) + "  " + p.status(m.Status)
	if m.Reason != "" {
		line += "  " + string(m.Reason)
	}
	return line
}
