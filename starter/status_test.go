package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// shows prints a state as a command does, at no terminal.
func shows(a *app, s meterkey.State) string {
	var out bytes.Buffer
	a.out, a.side = newPrinter(&out, true), newPrinter(&out, true)
	a.showState(s)
	return out.String()
}

func TestStateIsShownInFull(t *testing.T) {
	t.Parallel()
	s := awaitingCode()
	until := nine.Add(time.Second)
	s.Until, s.Reason = &until, meterkey.CodeRejected
	s.Timeline[2].Reason = meterkey.CodeRejected
	s.Ignored = []meterkey.Ignored{{Signal: "submit-code", Why: "it is for\nchallenge c-0", At: nine}}
	at := func(seconds int) string { return clock(nine.Add(time.Duration(seconds)*time.Second), time.Now()) }
	require.Equal(t, ""+
		"request     r-1\n"+
		"requester   acme\n"+
		"utility     Demonstration Power and Light (DEMO)\n"+
		"status      awaiting_code\n"+
		"reason      code_rejected\n"+
		"waits on    customer\n"+
		"since       "+at(0)+"\n"+
		"until       "+at(1)+", 0:00 left\n"+
		"message     Type the code.\n"+
		"asked       Enter the code\n"+
		"sent to     (***) ***-1234\n"+
		"digits      6\n"+
		"tries left  1\n"+
		"next        starter code r-1\n"+
		"\n"+
		at(0)+"  awaiting_login\n"+
		at(1)+"  signing_in\n"+
		at(2)+"  awaiting_code  code_rejected\n"+
		at(0)+"  ignored submit-code: it is for challenge c-0\n", shows(&app{}, s))
}

func TestAChoiceIsShownWithItsOptionsAndNoTries(t *testing.T) {
	t.Parallel()
	facts := challengeFacts(&meterkey.Challenge{Kind: meterkey.MethodChoice, Prompt: "How?", TriesLeft: 3,
		Options: []meterkey.Option{{ID: "sms", Label: "Text", Target: "***1"}, {ID: "b", Label: "E-mail"}}})
	require.Equal(t, [][2]string{{"asked", "How?"}, {"sent to", ""}, {"option 1", "Text ***1 [sms]"}, {"option 2", "E-mail [b]"}}, facts)
	require.Nil(t, challengeFacts(nil))
}

// TestNothingOfASiteReachesTheTerminalRaw puts into every text that a site can fill what would move a cursor.
func TestNothingOfASiteReachesTheTerminalRaw(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b[2J\r\nb\u009b31mc"
	s := awaitingCode()
	s.Message = evil
	s.Challenge.Prompt, s.Challenge.SentTo = evil, evil
	s.Challenge.Options = []meterkey.Option{{ID: evil, Label: evil, Target: evil + "x"}}
	s.Ignored = []meterkey.Ignored{{Signal: "leave", Why: evil, At: nine}}
	text := shows(&app{}, s)
	require.NotContains(t, text, "\x1b")
	require.NotContains(t, text, "\r")
	require.NotContains(t, text, "\u009b")
	require.Contains(t, text, "message     a [2J b 31mc\n")

	live := newLive(s).text(nine)
	require.NotContains(t, live, "\x1b")
	require.NotContains(t, live, "\u009b")

	var out bytes.Buffer
	a := &app{out: newPrinter(&out, true)}
	require.NoError(t, a.showMeters([]meterkey.Meter{{AccountNumber: evil, MeterNumber: evil, ServiceIdentifier: evil, ServiceAddress: evil,
		ServiceClass: evil, Tariff: evil, Status: evil}}))
	require.NotContains(t, out.String(), "\x1b")
	require.NotContains(t, out.String(), "\u009b")
}

func TestJSONIsTheWholeState(t *testing.T) {
	t.Parallel()
	s := awaitingCode()
	text := shows(&app{json: true}, s)
	require.Equal(t, 1, bytes.Count([]byte(text), []byte("\n")), "a document, a line")
	var got meterkey.State
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Equal(t, s, got)
}

func TestEmptyListsAreListsForMachines(t *testing.T) {
	t.Parallel()
	var out, side bytes.Buffer
	a := &app{json: true, out: newPrinter(&out, true), side: newPrinter(&side, true)}
	require.NoError(t, a.showMeters(nil))
	a.showList(nil)
	require.Equal(t, "[]\n[]\n", out.String())
	out.Reset()
	require.NoError(t, (&app{csv: true, out: newPrinter(&out, true)}).showMeters(nil))
	require.Equal(t, "account_number,meter_number,service_identifier,service_address,service_class,tariff,status\n", out.String())
}
