package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// said is what a command line in this process came to.
type said struct {
	code      int
	out, side string
}

// runs runs a command line in this process, on what the tests share.
func runs(t *testing.T, stdin, line string) said {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out, side bytes.Buffer
	code := run(ctx, strings.Fields(line), strings.NewReader(stdin), &out, &side)
	return said{code, out.String(), side.String()}
}

// done runs a command line that must be done with 0 and returns what it printed.
func done(t *testing.T, line string) string {
	t.Helper()
	s := runs(t, "", line)
	require.Zero(t, s.code, "starter %s: %s", line, s.side)
	return s.out
}

// engine is the tests' typed client: what the commands are held against.
func engine() *sdk.Client {
	return sdk.New(shared.client, shared.recipient, nil)
}

func engineState(t *testing.T, id string) meterkey.State {
	t.Helper()
	s, err := engine().State(t.Context(), id)
	require.NoError(t, err)
	return s
}

// brought is a request that was brought to where a scripted user's login leads, or to its end.
func brought(t *testing.T, id, to string) meterkey.State {
	t.Helper()
	done(t, "start demo --requester acme --id "+id)
	switch to {
	case "":
	case "decline", "cancel":
		done(t, to+" "+id)
	default:
		require.Contains(t, []int{exitOK, exitEnded}, runs(t, to+"\norange\n", "login "+id).code)
	}
	return engineState(t, id)
}

// standings are the ways a request can stand, by what brings it there.
var standings = map[string]meterkey.Status{
	"": meterkey.AwaitingLogin, "wrong": meterkey.AwaitingLogin, "mfa": meterkey.AwaitingMFAOff, "code": meterkey.AwaitingCode, "bare": meterkey.AwaitingCode,
	"question": meterkey.AwaitingCode, "choice": meterkey.AwaitingChoice, "plain": meterkey.Connected, "captcha": meterkey.Failed,
	"decline": meterkey.Declined, "cancel": meterkey.Canceled,
}

// TestStatusSaysWhatTheEngineAnswers holds JSON and text of every standing against the engine's own answer.
func TestStatusSaysWhatTheEngineAnswers(t *testing.T) {
	t.Parallel()
	for to, status := range standings {
		t.Run(string(status)+" "+to, func(t *testing.T) {
			t.Parallel()
			id := "told-" + to + "-"
			want := brought(t, id, to)
			require.Equal(t, want.Status, status)

			var got meterkey.State
			document := json.NewDecoder(strings.NewReader(done(t, "status -o json "+id)))
			document.DisallowUnknownFields()
			require.NoError(t, document.Decode(&got))
			require.Equal(t, want, got)
			require.ErrorIs(t, document.Decode(&got), io.EOF, "one document")

			text := done(t, "status "+id)
			facts, timeline, _ := strings.Cut(text, "\n\n")
			require.Equal(t, len(want.Timeline), strings.Count(timeline, "\n"), text)
			for _, fact := range []string{id, "acme", "Demonstration Power and Light (DEMO)", string(status), string(want.Reason), oneLine(want.Message), next(want)} {
				require.Contains(t, facts, fact)
			}
			require.Equal(t, want.WaitingOn != meterkey.Nobody, strings.Contains(facts, "\nwaits on "), text)
			require.Equal(t, want.Until != nil, strings.Contains(facts, "\nuntil "), text)
			require.Equal(t, want.Challenge != nil && want.Challenge.SentTo != "", strings.Contains(facts, "\nsent to "), text)
			require.Equal(t, len(want.Meters) > 0, strings.Contains(facts, "\nmeters "), text)
			require.NotContains(t, text, "\x1b")
		})
	}
}

// TestRefusalsChangeNothing tries every command where it does not fit: the exit code, one line with the way on, nothing
// printed, and the request as it was.
func TestRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	for to, misfits := range map[string][]string{
		"":         {"code", "choose", "choose ID 1", "resend-code", "leave", "meters"},
		"mfa":      {"code", "choose ID 1", "resend-code", "leave", "meters"},
		"code":     {"login", "choose", "choose ID 1", "meters"},
		"bare":     {"login", "resend-code", "meters"},
		"choice":   {"login", "code", "resend-code", "meters"},
		"plain":    {"login", "code", "choose", "choose ID 1", "resend-code", "leave", "decline", "cancel"},
		"captcha":  {"login", "code", "choose", "choose ID 1", "resend-code", "leave", "decline", "cancel", "meters"},
		"decline":  {"login", "code", "choose ID 1", "resend-code", "leave", "decline", "cancel", "meters"},
		"cancel":   {"login", "code", "choose ID 1", "resend-code", "leave", "decline", "cancel", "meters"},
		"question": {"login", "choose", "resend-code", "meters"},
	} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			id := "refused-" + to + "-"
			before := brought(t, id, to)
			for _, misfit := range misfits {
				command, rest, _ := strings.Cut(misfit, " ID")
				for _, output := range []string{"", " -o json"} {
					s := runs(t, "plain\norange\n", command+" "+id+rest+output)
					require.Equal(t, exitNotNow, s.code, misfit)
					require.Empty(t, s.out, misfit)
					require.Regexp(t, `^starter: [^\n]+ \(starter [^\n]+\)\n$`, s.side, misfit)
					require.NotContains(t, s.side, "orange")
				}
			}
			require.Equal(t, before, engineState(t, id))
		})
	}
}

func TestMetersAreTheEnginesInEveryForm(t *testing.T) {
	t.Parallel()
	want := brought(t, "meters-all", "plain").Meters
	require.NotEmpty(t, want)

	var fromJSON []meterkey.Meter
	require.NoError(t, json.Unmarshal([]byte(done(t, "meters meters-all -o json")), &fromJSON))
	require.Equal(t, want, fromJSON)

	rows, err := csv.NewReader(strings.NewReader(done(t, "meters meters-all -o csv"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(want)+1)
	for i, m := range want {
		cells := map[string]string{}
		for column, name := range rows[0] {
			cells[name] = rows[i+1][column]
		}
		asJSON, err := json.Marshal(m)
		require.NoError(t, err)
		var fields map[string]string
		require.NoError(t, json.Unmarshal(asJSON, &fields))
		for name, value := range cells {
			require.Equal(t, fields[name], value, "%s under the name that JSON has for it", name)
		}
		for name := range fields {
			require.Contains(t, cells, name, "CSV has every field")
		}
	}

	text := strings.Split(strings.TrimSpace(done(t, "meters meters-all")), "\n")
	require.Len(t, text, len(want)+1)
	for i, m := range want {
		require.Regexp(t, "^"+m.AccountNumber+" +"+m.MeterNumber+" +"+m.ServiceClass+" ", text[i+1])
		require.True(t, strings.HasSuffix(text[i+1], m.ServiceAddress), text[i+1])
	}
}

func TestStartSendsWhatItPrints(t *testing.T) {
	t.Parallel()
	var printed meterkey.Request
	line := "start con-edison --requester acme --id started-all --requester-name Acme --requester-email a@acme.example --customer-email pat@example.com --link https://acme.example/in -o json"
	require.Equal(t, exitUsage, runs(t, "", line).code, "no utility goes by that name")
	require.NoError(t, json.Unmarshal([]byte(done(t, strings.Replace(line, "con-edison", "coned", 1))), &printed))
	require.Equal(t, meterkey.Request{RequestID: "started-all", Requester: "acme", RequesterName: "Acme", RequesterEmail: "a@acme.example",
		CustomerEmail: "pat@example.com", Utility: "CONED", Link: "https://acme.example/in"}, printed)
	started, err := engine().Request(t.Context(), "started-all")
	require.NoError(t, err)
	require.Equal(t, printed, started)

	again := runs(t, "", "start coned --requester other --id started-all")
	require.Equal(t, said{exitUsage, "", "starter: starting started-all: a request with this id exists already (choose another --id, or starter resend sends it again)\n"}, again)
	started, err = engine().Request(t.Context(), "started-all")
	require.NoError(t, err)
	require.Equal(t, "acme", started.Requester, "the first one stands")
}

func TestListIsWhatTheEngineLists(t *testing.T) {
	t.Parallel()
	brought(t, "listed-1", "plain")
	done(t, "resend listed-1")
	done(t, "start --requester lister-2 --id listed-2")
	filter := sdk.Filter{Requester: "lister-2"}
	var listed []sdk.Listed
	require.Eventually(t, func() bool {
		var err error
		listed, err = engine().List(t.Context(), filter, 10)
		return err == nil && len(listed) == 1
	}, 3*time.Minute, 20*time.Millisecond)

	var got []sdk.Listed
	require.NoError(t, json.Unmarshal([]byte(done(t, "list --requester lister-2 -o json")), &got))
	require.Equal(t, listed, got)
	text := runs(t, "", "list --requester lister-2")
	require.Equal(t, "1 request\n", text.side)
	require.Equal(t, "REQUEST   REQUESTER  STATUS          WAITS ON  STARTED\n"+
		"listed-2  lister-2   awaiting_login  customer  "+clock(listed[0].Started, time.Now())+"\n", text.out, "no column for what nobody chose yet")

	done(t, "start pepco --requester lister-2 --id listed-3")
	require.Eventually(t, func() bool { return done(t, "list --requester lister-2 --utility pepco") != "" }, 3*time.Minute, 20*time.Millisecond)
	require.NotContains(t, done(t, "list --requester lister-2 --utility pepco"), "listed-2")

	none := runs(t, "", "list --requester nobody-at-all")
	require.Equal(t, said{exitOK, "", "no requests\n"}, none)
}

// TestCtrlCStopsTheCommandNotTheRequest: the context is what the signal of Ctrl-C ends.
func TestCtrlCStopsTheCommandNotTheRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, line, stdin, side string }{
		{"watch", "watch ID", "", "starter: stopped watching; ID goes on (starter watch ID follows it again)\n"},
		{"watch-json", "watch ID -o json", "", "starter: stopped watching; ID goes on (starter watch ID follows it again)\n"},
		{"login", "login ID", "slow\norange\n", "starter: stopped\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := "stopped-" + c.name
			done(t, "start demo --requester acme --id "+id)
			ctx, cancel := context.WithCancel(t.Context())
			out := &hears{word: "awaiting_login", heard: cancel}
			if c.stdin != "" {
				out.heard = func() {}
				go func() {
					defer cancel()
					_, err := engine().Wait(t.Context(), id, func(s meterkey.State) bool { return s.Status == meterkey.SigningIn })
					if err != nil {
						t.Error(err)
					}
				}()
			}
			var side bytes.Buffer
			code := run(ctx, strings.Fields(strings.ReplaceAll(c.line, "ID", id)), strings.NewReader(c.stdin), out, &side)
			require.Equal(t, exitInterrupted, code)
			require.Equal(t, strings.ReplaceAll(c.side, "ID", id), side.String())
			require.False(t, engineState(t, id).Status.Terminal())
			done(t, "cancel "+id)
		})
	}
}

// hears is an output that tells when a word was written.
type hears struct {
	bytes.Buffer
	word  string
	heard func()
}

func (h *hears) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte(h.word)) {
		defer h.heard()
	}
	return h.Buffer.Write(text)
}

func TestStoppedBeforeItBeganStartsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, side bytes.Buffer
	code := run(ctx, strings.Fields("start demo --requester acme --id never-begun"), strings.NewReader(""), &out, &side)
	require.Equal(t, exitInterrupted, code)
	require.Empty(t, out.String())
	_, err := engine().State(t.Context(), "never-begun")
	require.ErrorIs(t, err, sdk.ErrNotFound)
}

// TestAReaderThatWentAwayIsAnError for every command that prints, in every form.
func TestAReaderThatWentAwayIsAnError(t *testing.T) {
	t.Parallel()
	brought(t, "unread-1", "plain")
	for _, line := range []string{
		"status unread-1", "status unread-1 -o json", "meters unread-1", "meters unread-1 -o json", "meters unread-1 -o csv", "watch unread-1", "watch unread-1 -o json",
		"list --requester acme -o json", "utilities demo", "utilities -o json", "recipient", "recipient -o json",
	} {
		var side bytes.Buffer
		code := run(t.Context(), strings.Fields(line), strings.NewReader(""), brokenPipe{}, &side)
		require.Equal(t, exitUnexpected, code, line)
		require.Contains(t, side.String(), "broken pipe", line)
		require.Equal(t, 1, strings.Count(side.String(), "\n"), line)
	}
}

func TestWhatCannotBeSealedIsNotSent(t *testing.T) {
	t.Parallel()
	b := &backend{sealErr: errors.New("no recipient file")}
	err := b.seal(t.Context(), func(context.Context, *sdk.Client) error { return errors.New("it was sent") })
	require.EqualError(t, err, "no recipient file (MK_RECIPIENT names the workers' recipient or its file)")
	require.Equal(t, exitUsage, explain(t.Context(), err).code)
	sent := fmt.Errorf("sent")
	require.Equal(t, sent, (&backend{}).seal(t.Context(), func(context.Context, *sdk.Client) error { return sent }))
}
