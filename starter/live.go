package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/meterkey/meterkey/workflows"
)

// live is the view of `watch` on a terminal. It knows nothing but the request's last state and what is being typed.
type live struct {
	ctx     context.Context //nolint:containedctx // bubbletea's commands take none
	backend *backend
	id      string
	utility string
	p       *printer
	now     time.Time

	state   workflows.State
	form    *form
	sending bool
	note    string // what went wrong last
	err     error  // what ended the view
	left    bool   // the person left
}

// What the view is told.
type (
	looked struct {
		at    time.Time
		state workflows.State
		err   error
	}
	sentMsg struct{ err error }
)

// watchLive shows the view until the request ends or the person leaves.
func (a *app) watchLive(ctx context.Context, b *backend, id string) (workflows.State, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &live{ctx: ctx, backend: b, id: id, p: a.out}
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(a.stdin), tea.WithOutput(a.out.w), tea.WithoutSignalHandler())
	_, err := program.Run()
	switch {
	case m.left:
		return m.state, leftAlone(id)
	case m.err != nil:
		return m.state, m.err
	case err != nil && !errors.Is(err, tea.ErrProgramKilled):
		return m.state, fmt.Errorf("showing the live view: %w", err)
	}
	return m.state, ctx.Err()
}

// Init looks for the first time.
func (m *live) Init() tea.Cmd { return m.look }

func (m *live) look() tea.Msg {
	s, err := m.backend.state(m.ctx, m.id)
	return looked{time.Now(), s, err}
}

// lookAgain looks after a pause.
func (m *live) lookAgain() tea.Cmd {
	return tea.Tick(pollEvery, func(time.Time) tea.Msg { return m.look() })
}

// Update takes in what happened.
func (m *live) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case looked:
		return m, m.saw(message)
	case sentMsg:
		m.sending = false
		m.note = ""
		if message.err != nil {
			m.note, m.form = oneLine(message.err.Error()), newForm(m.state)
		}
	case tea.KeyMsg:
		return m, m.key(message)
	}
	return m, nil
}

func (m *live) saw(l looked) tea.Cmd {
	m.now = l.at
	switch {
	case errors.Is(l.err, workflows.ErrNoWorker):
		m.note = "no worker answers; the request is safe, waiting"
		return m.lookAgain()
	case l.err != nil:
		m.err = l.err
		return tea.Quit
	}
	m.take(l.state)
	if m.state.Status.Terminal() {
		return tea.Quit
	}
	return m.lookAgain()
}

// take puts a new state in place of the last one.
func (m *live) take(s workflows.State) {
	if m.utility == "" {
		m.utility = utilityName(s.Utility)
	}
	if why := ignoredSince(m.state, s); m.state.RequestID != "" && why != "" {
		m.note = oneLine(why)
	} else if changed(m.state, s) {
		m.note = ""
	}
	m.state = s
	m.form = formFor(s, m.form)
}

func (m *live) key(key tea.KeyMsg) tea.Cmd {
	switch {
	case key.Type == tea.KeyCtrlC:
		m.left = true
		return tea.Quit
	case key.Type == tea.KeyCtrlR && m.canResend():
		return m.send(func(ctx context.Context) error {
			return m.backend.client.ResendCode(ctx, m.id, m.state.Challenge.ID)
		})
	case m.form == nil || m.sending:
		return nil
	case key.Type == tea.KeyEnter && m.form.enter():
		return m.submit()
	}
	m.edit(key)
	return nil
}

func (m *live) edit(key tea.KeyMsg) {
	switch key.Type {
	case tea.KeyRunes, tea.KeySpace:
		m.form.typed(key.Runes)
	case tea.KeyBackspace:
		m.form.backspace()
	case tea.KeyCtrlU:
		m.form.clearField()
	case tea.KeyTab, tea.KeyDown:
		m.form.move(1)
	case tea.KeyShiftTab, tea.KeyUp:
		m.form.move(-1)
	}
}

func (m *live) canResend() bool {
	return takesCode(m.state) == nil && m.state.Challenge.CanResend && !m.sending
}

// submit sends what was typed.
func (m *live) submit() tea.Cmd {
	values, challenge := m.form.values(), m.state.Challenge
	if err := m.backend.canSeal(); err != nil {
		m.note = err.Error()
		return nil
	}
	if challenge == nil {
		login := workflows.Credentials{Username: values[0], Password: values[1]}
		return m.send(func(ctx context.Context) error { return m.backend.client.SubmitLogin(ctx, m.id, login) })
	}
	answer := strings.TrimSpace(values[0])
	if challenge.Kind == workflows.MethodChoice {
		option, err := pickOption(challenge.Options, answer)
		if err != nil {
			m.note, m.form = err.Error(), newForm(m.state)
			return nil
		}
		answer = option
	}
	return m.send(func(ctx context.Context) error { return m.backend.client.SubmitCode(ctx, m.id, challenge.ID, answer) })
}

func (m *live) send(f func(context.Context) error) tea.Cmd {
	m.sending, m.note = true, ""
	return func() tea.Msg { return sentMsg{m.backend.call(m.ctx, f)} }
}

// View draws the request.
func (m *live) View() string {
	if m.state.RequestID == "" {
		return "Looking for " + m.id + "…\n"
	}
	lines := []string{m.p.in(bold, m.id) + "  " + m.utility + "  for " + oneLine(m.state.Requester), ""}
	for _, moment_ := range m.state.Timeline {
		lines = append(lines, "  "+moment(m.p, moment_, m.now))
	}
	lines = append(lines, "", oneLine(m.state.Message)+m.countdown())
	if m.state.Challenge != nil {
		lines = append(lines, m.challenge()...)
	}
	return strings.Join(append(lines, m.foot()...), "\n") + "\n"
}

func (m *live) countdown() string {
	if m.state.Until == nil || m.state.Status.Terminal() {
		return ""
	}
	return m.p.in(yellow, "  "+left(*m.state.Until, m.now)+" left")
}

func (m *live) challenge() []string {
	c := m.state.Challenge
	lines := []string{question(*c, m.now)}
	for i, o := range c.Options {
		lines = append(lines, fmt.Sprintf("  %d  %s", i+1, optionText(o)))
	}
	return lines
}

// foot is the form, what went wrong and the keys there are.
func (m *live) foot() []string {
	var lines []string
	switch {
	case m.state.Status.Terminal():
		return nil
	case m.sending:
		lines = append(lines, m.p.in(dim, "sealing and sending…"))
	case m.form != nil:
		lines = append(lines, m.form.lines(m.p)...)
	}
	if m.note != "" {
		lines = append(lines, m.p.in(red, m.note))
	}
	keys := "Ctrl-C leaves the request alone"
	if m.canResend() {
		keys = "Ctrl-R sends the code again · " + keys
	}
	return append(lines, "", m.p.in(dim, keys))
}
