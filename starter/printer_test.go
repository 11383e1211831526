package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

func TestLeftCountsDown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]string{
		-time.Second: "0:00", 0: "0:00", 9 * time.Second: "0:09", 600 * time.Second: "10:00", 581 * time.Second: "9:41",
		time.Hour: "1:00:00", 3*time.Hour + 9*time.Minute + 41*time.Second: "3:09:41", 47 * time.Hour: "47:00:00",
		48 * time.Hour: "2 days", 7 * 24 * time.Hour: "7 days",
	} {
		require.Equal(t, want, left(now.Add(after), now), after)
	}
}

func TestClockLeavesOutToday(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.Local)
	require.Equal(t, "08:59:07", clock(now.Add(-53*time.Second), now))
	require.Equal(t, "2026-11-30 09:00", clock(now.AddDate(0, 0, 7), now))
}

func TestCount(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"no meters", "1 meter", "2 meters"}, []string{count(0, "meter"), count(1, "meter"), count(2, "meter")})
}

func TestTableAlignsWhatIsColouredAndWide(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &printer{w: &out, colour: true}
	p.table([]string{"ID", "EMPTY", "NAME"}, [][]string{{p.in(green, "a"), "", "日本"}, {"long", "", "x"}})
	require.NoError(t, p.err)
	require.Equal(t, "\x1b[1mID\x1b[0m    \x1b[1mNAME\x1b[0m\n\x1b[32ma\x1b[0m     日本\nlong  x\n", out.String())
}

func TestTableWithoutRowsIsEmpty(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	newPrinter(&out, false).table([]string{"ID", "NAME"}, nil)
	require.Empty(t, out.String())
}

func TestFactsLeaveOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	newPrinter(&out, false).facts([2]string{"a", "1"}, [2]string{"empty", ""}, [2]string{"bcd", "2"})
	require.Equal(t, "a    1\nbcd  2\n", out.String())
}

func TestJSONKeepsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	newPrinter(&out, false).json(map[string]string{"a": "<&>"})
	require.Contains(t, out.String(), `"<&>"`)
}

func TestStatusColourSaysWhoActs(t *testing.T) {
	t.Parallel()
	p := &printer{colour: true}
	for status, style := range map[meterkey.Status]string{
		meterkey.Connected: green, meterkey.Failed: red, meterkey.AwaitingCode: yellow, meterkey.SigningIn: cyan,
	} {
		require.Equal(t, p.in(style, string(status)), p.status(status))
	}
}

func TestFieldsOfALoginPage(t *testing.T) {
	t.Parallel()
	u := &utilities.Utility{ID: "RIVER", File: "river.yaml"}
	user := meterkey.ProbedField{Field: "flow.sign_in.steps[0].into", Selector: "#user", Found: true}
	later := meterkey.ProbedField{Field: "flow.sign_in.steps[1].into", Selector: "#pass"}
	for _, c := range []struct {
		found []meterkey.ProbedField
		out   string
		side  string
		err   string
	}{
		{found: []meterkey.ProbedField{user}, out: "FIELD                              LOOKED FOR\nflow.sign_in.steps[0].into  found  #user\n"},
		{found: []meterkey.ProbedField{user, later}, side: "Fields that come after the user name was sent cannot be found by looking.\n"},
		{found: []meterkey.ProbedField{later}, err: "no field of RIVER is on its login page (mend river.yaml)"},
	} {
		var out, side bytes.Buffer
		err := (&app{out: newPrinter(&out, true), side: newPrinter(&side, true)}).showFields(u, c.found)
		if c.err == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.err)
		}
		require.Contains(t, out.String(), c.out)
		require.Equal(t, c.side, side.String())
	}
}

// onPty has something printed on a pseudo-terminal of so many columns and returns what reached it.
func onPty(t *testing.T, columns uint16, print func(*app)) string {
	t.Helper()
	master, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(tty, &pty.Winsize{Rows: 20, Cols: columns}))
	shown := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // reading the end of a terminal is an error
		shown <- string(text)
	}()
	print(&app{out: newPrinter(tty, false), side: newPrinter(tty, false)})
	require.NoError(t, tty.Close())
	text := <-shown
	require.NoError(t, master.Close())
	return text
}

func TestProgressStaysOnOneLineOfTheTerminal(t *testing.T) {
	t.Parallel()
	for columns, want := range map[uint16]string{
		80: "\r\x1b[KSigning in at your utility.\x1b[2m 9s\x1b[0m\r\x1b[K",
		0:  "\r\x1b[KSigning in at your utility.\x1b[2m 9s\x1b[0m\r\x1b[K", // it does not say: as 80
		20: "\r\x1b[KSigning in at your…\x1b[2m\x1b[0m\r\x1b[K",
		2:  "\r\x1b[K…\x1b[2m\x1b[0m\r\x1b[K",
	} {
		shown := onPty(t, columns, func(a *app) {
			a.progress("Signing in\nat your utility.", 9*time.Second)
			a.progress("", 0)
		})
		require.Equal(t, want, shown, columns)
	}
	require.NotContains(t, onPty(t, 1, func(a *app) { a.progress("Signing in", 0) }), "S", "there is room for nothing")

	var side bytes.Buffer
	a := &app{side: newPrinter(&side, false)}
	a.progress("Signing in", time.Second)
	a.progress("", 0)
	require.Empty(t, side.String(), "only a terminal shows progress")
}

func TestColoursAreForTerminalsThatWantThem(t *testing.T) {
	t.Parallel()
	print := func(a *app) { a.out.linef("%s", a.out.status(meterkey.Failed)) }
	require.Equal(t, "\x1b[31mfailed\x1b[0m\r\n", onPty(t, 80, print))
	require.Equal(t, "failed\r\n", onPty(t, 80, func(a *app) {
		a.out = newPrinter(a.out.w, true)
		print(a)
	}))
	var out bytes.Buffer
	print(&app{out: newPrinter(&out, false)})
	require.Equal(t, "failed\n", out.String())
}

func TestJSONIsLaidOutForPeopleAlone(t *testing.T) {
	t.Parallel()
	document := map[string]string{"a": "b"}
	require.Equal(t, "{\r\n  \"a\": \"b\"\r\n}\r\n", onPty(t, 80, func(a *app) { a.out.json(document) }))
	var out bytes.Buffer
	newPrinter(&out, false).json(document)
	require.Regexp(t, `^\{"a":"b"\}\n$`, out.String())
}

func TestTheFirstErrorOfPrintingIsKept(t *testing.T) {
	t.Parallel()
	p := newPrinter(brokenPipe{}, true)
	p.linef("one")
	p.json("two")
	p.table([]string{"A"}, [][]string{{"b"}})
	require.EqualError(t, p.err, "broken pipe")
}
