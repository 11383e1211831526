package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"github.com/meterkey/meterkey/internal/store"
)

// database opens the home's database beside the commands.
func (h home) database(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{File: filepath.Join(h.dir, "meterkey.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// fails runs a command that must fail and returns what it says, having printed nothing.
func (h home) fails(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := h.run(t.Context(), stdin, args...)
	require.Error(t, err, "portal %s", strings.Join(args, " "))
	require.Empty(t, out)
	return err.Error()
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

func TestRequesterAdd_ChangesOnlyWhatIsNamed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for _, c := range []struct {
		args        []string
		name, email string
	}{
		{[]string{"acme"}, "acme", ""},
		{[]string{"acme", "--name", "Acme Solar"}, "Acme Solar", ""},
		{[]string{"acme", "--email", "desk@acme.example"}, "Acme Solar", "desk@acme.example"},
		{[]string{"acme"}, "Acme Solar", "desk@acme.example"},
		{[]string{"acme", "--name", "", "--email", ""}, "acme", ""},
	} {
		require.Equal(t, "acme ("+c.name+") may ask customers for access\n", h.says(t, "", append([]string{"requester", "add"}, c.args...)...))
		r, err := h.database(t).Requester(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, [2]string{c.name, c.email}, [2]string{r.Name, r.Email}, c.args)
	}
}

func TestRequesterAdd_KeepsADisabledOneDisabled(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	key := strings.TrimSpace(h.says(t, "", "key", "add", "--requester", "acme"))
	s := h.database(t)
	_, err := s.PutRequester(t.Context(), store.Requester{UID: "acme", Name: "Acme", Disabled: true})
	require.NoError(t, err)
	h.says(t, "", "requester", "add", "acme", "--name", "Acme Solar")
	_, err = s.KeyOwner(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound, "a change of name opens no doors")
}

func TestRequesterAdd_RefusesWhoCouldNotAsk(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const refused = "no data request of this requester could start: invalid request: "
	for _, c := range []struct {
		uid, name, email string
		want             string
	}{
		{"", "", "", "requester is missing"},
		{"a b", "", "", "requester may hold only letters, digits and . _ - (it has ' ')"},
		{"straße", "", "", "requester may hold only letters, digits and . _ - (it has 'ß')"},
		{strings.Repeat("a", 65), "", "", "requester is longer than 64 characters"},
		{"acme", "Acme\r\nBcc: all@acme.example", "", "requester_name must be one line of at most 200 bytes"},
		{"acme", strings.Repeat("a", 201), "", "requester_name must be one line of at most 200 bytes"},
		{"acme", "", "desk", "requester_email is not an e-mail address"},
		{"acme", "", "a@acme.example, b@acme.example", "requester_email is not an e-mail address"},
	} {
		require.Equal(t, refused+c.want, h.fails(t, "", "requester", "add", c.uid, "--name", c.name, "--email", c.email))
	}
	require.Equal(t, "no requesters yet; add one: portal requester add acme --name \"Acme Solar\"\n", h.says(t, "", "requester", "list"))
}

func TestRequesterList_IsATableByID(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "zeta", "--email", "z@zeta.example")
	h.says(t, "", "requester", "add", "acme", "--name", "Acme Solar")
	require.Equal(t, ""+
		"REQUESTER   NAME         E-MAIL           SINCE\n"+
		"acme        Acme Solar                    "+today()+"\n"+
		"zeta        zeta         z@zeta.example   "+today()+"\n", h.says(t, "", "requester", "list"))
}

func TestUserAdd_TakesTheFirstLineAsPassword(t *testing.T) {
	t.Parallel()
	h := newHome(t, "MK_PORTAL_URL=https://data.acme.example/")
	h.says(t, "", "requester", "add", "acme")
	for email, stdin := range map[string]string{
		"unix@acme.example":    "correct horse battery\n",
		"windows@acme.example": "correct horse battery\r\n",
		"bare@acme.example":    "correct horse battery",
		"more@acme.example":    "correct horse battery\nanother line\n",
	} {
		said := h.says(t, stdin, "user", "add", email, "--requester", "acme", "--name", "Pat")
		require.Equal(t, email+" signs in to acme's dashboard at https://data.acme.example/dashboard/\n", said)
		u, err := h.database(t).CheckPassword(t.Context(), email, "correct horse battery")
		require.NoError(t, err, email)
		require.Equal(t, "Pat", u.Name)
	}
}

func TestUserAdd_TwiceSaysHowToSetThePassword(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	h.says(t, "correct horse battery\n", "user", "add", "pat@acme.example", "--requester", "acme")
	require.Equal(t, "PAT@acme.example signs in already: portal user password PAT@acme.example sets the password anew",
		h.fails(t, "some other password\n", "user", "add", "PAT@acme.example", "--requester", "acme"))
	_, err := h.database(t).CheckPassword(t.Context(), "pat@acme.example", "correct horse battery")
	require.NoError(t, err, "the first password stands")
	require.Contains(t, h.says(t, "some other password\n", "user", "password", "PAT@acme.example"), "the password is set")
}

func TestUserPassword_EndsSessions(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	h.says(t, "correct horse battery\n", "user", "add", "pat@acme.example", "--requester", "acme")
	s := h.database(t)
	u, err := s.CheckPassword(t.Context(), "pat@acme.example", "correct horse battery")
	require.NoError(t, err)
	token, err := s.StartSession(t.Context(), u.UID, time.Hour)
	require.NoError(t, err)

	require.Contains(t, h.fails(t, "short\n", "user", "password", "pat@acme.example"), "a password has 10 to 1000 characters")
	_, err = s.SessionUser(t.Context(), token)
	require.NoError(t, err, "what changed nothing ends nothing")

	require.Equal(t, "the password is set; all of this user's sessions have ended\n",
		h.says(t, "a longer password\n", "user", "password", "pat@acme.example"))
	_, err = s.SessionUser(t.Context(), token)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = s.CheckPassword(t.Context(), "pat@acme.example", "correct horse battery")
	require.ErrorIs(t, err, store.ErrWrongPassword)
}

func TestPasswords_AreNeverSaid(t *testing.T) {
	t.Parallel()
	h := newHome(t, "MK_LOG_LEVEL=debug")
	h.says(t, "", "requester", "add", "acme")
	for _, args := range [][]string{
		{"user", "add", "pat@acme.example", "--requester", "acme"},
		{"user", "add", "pat@acme.example", "--requester", "acme"}, // it is there already
		{"user", "add", "x@acme.example", "--requester", "nobody"},
		{"user", "password", "pat@acme.example"},
		{"user", "password", "nobody@acme.example"},
	} {
		var out, log bytes.Buffer
		err := run(t.Context(), args, h.env, strings.NewReader("correct horse battery\n"), &out, &log)
		said := out.String() + log.String()
		if err != nil {
			said += err.Error()
		}
		require.NotEmpty(t, said)
		require.NotContains(t, said, "horse", args)
	}
}

// broken is standard input that cannot be read.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestPassword_ThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	h := newHome(t)
	err := run(t.Context(), []string{"user", "password", "pat@acme.example"}, h.env, broken{}, &out, &log)
	require.EqualError(t, err, "reading the password: input/output error")
	require.NoDirExists(t, h.dir, "nothing is made for nothing")
}

// terminal is a command's standard input on a pseudo-terminal.
type terminal struct {
	master, tty *os.File
	before      *term.State
	shown       chan string // all that it showed, once it is closed
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	master, tty, err := pty.Open()
	require.NoError(t, err)
	before, err := term.GetState(int(tty.Fd()))
	require.NoError(t, err)
	terminal := &terminal{master, tty, before, make(chan string, 1)}
	go func() {
		text, _ := io.ReadAll(master) // reading the end of a terminal is an error
		terminal.shown <- string(text)
	}()
	return terminal
}

// silent tells whether what is typed stays unseen.
func (terminal *terminal) silent(t *testing.T) bool {
	t.Helper()
	now, err := term.GetState(int(terminal.tty.Fd()))
	require.NoError(t, err)
	return *now != *terminal.before
}

// close ends the terminal and returns what it showed of what was typed.
func (terminal *terminal) close(t *testing.T) string {
	t.Helper()
	require.False(t, terminal.silent(t), "the terminal has its echo back")
	require.NoError(t, terminal.tty.Close())
	shown := <-terminal.shown
	require.NoError(t, terminal.master.Close())
	return shown
}

func TestPassword_OnATerminalIsNotShown(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	terminal := openTerminal(t)
	var out, log bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(t.Context(), []string{"user", "add", "pat@acme.example", "--requester", "acme"}, h.env, terminal.tty, &out, &log)
	}()
	require.Eventually(t, func() bool { return terminal.silent(t) }, 3*time.Minute, time.Millisecond)
	_, err := terminal.master.WriteString("correct horse batterx\x7fy\r")
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Equal(t, "Password for pat@acme.example (at least 10 characters, not shown): \n"+
		"pat@acme.example signs in to acme's dashboard at http://127.0.0.1:8400/dashboard/\n", out.String())
	_, err = h.database(t).CheckPassword(t.Context(), "pat@acme.example", "correct horse battery")
	require.NoError(t, err, "a slip can be taken back")
	require.NotContains(t, terminal.close(t), "horse")
}

func TestPassword_CtrlCGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	terminal := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, log bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"user", "password", "pat@acme.example"}, h.env, terminal.tty, &out, &log)
	}()
	require.Eventually(t, func() bool { return terminal.silent(t) }, 3*time.Minute, time.Millisecond)
	cancel() // what the signal of Ctrl-C does
	require.EqualError(t, <-done, "stopped; nothing was changed")
	require.Equal(t, "New password for pat@acme.example (at least 10 characters, not shown): \n", out.String())
	require.False(t, terminal.silent(t), "the terminal has its echo back")
	_, err := terminal.master.WriteString("\r") // ends the reader that was left behind
	require.NoError(t, err)
	terminal.close(t)
}

func TestPassword_NothingTypedOnATerminalIsTooShort(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	terminal := openTerminal(t)
	var out, log bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(t.Context(), []string{"user", "add", "pat@acme.example", "--requester", "acme"}, h.env, terminal.tty, &out, &log)
	}()
	require.Eventually(t, func() bool { return terminal.silent(t) }, 3*time.Minute, time.Millisecond)
	_, err := terminal.master.WriteString("\r")
	require.NoError(t, err)
	require.ErrorContains(t, <-done, "a password has 10 to 1000 characters")
	terminal.close(t)
}

func TestKeyList_SaysWhatThereIs(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	require.Equal(t, `no requester is called "acme": see portal requester list, or add it with portal requester add`,
		h.fails(t, "", "key", "list", "--requester", "acme"))
	h.says(t, "", "requester", "add", "acme")
	require.Equal(t, "acme has no keys yet; make one: portal key add --requester acme\n", h.says(t, "", "key", "list", "--requester", "acme"))

	key := strings.TrimSpace(h.says(t, "", "key", "add", "--requester", "acme", "--name", "backend", "--lifetime", "48h"))
	row := regexp.MustCompile(`(?m)^(\w{16})   (mk_\w{6})     backend   (\S+)   (\S+)   (\S+) +(\S+)$`)
	fields := row.FindStringSubmatch(h.says(t, "", "key", "list", "--requester", "acme"))
	require.NotNil(t, fields)
	require.Equal(t, key[:9], fields[2])
	require.Equal(t, []string{today(), time.Now().UTC().Add(48 * time.Hour).Format(time.DateOnly), "-", "-"}, fields[3:])

	_, err := h.database(t).KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "key "+fields[1]+" is revoked\n", h.says(t, "", "key", "revoke", fields[1], "--requester", "acme"))
	require.Equal(t, "key "+fields[1]+" is revoked\n", h.says(t, "", "key", "revoke", fields[1], "--requester", "acme"), "twice is no error")
	listed := h.says(t, "", "key", "list", "--requester", "acme")
	require.Regexp(t, `(?m)^\w{16} .* `+today()+`   `+today()+`$`, listed, "when it was used last, and revoked")
	require.NotContains(t, listed, key)
}

func TestKeys_AreTheirRequestersAlone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	h.says(t, "", "requester", "add", "zeta")
	key := strings.TrimSpace(h.says(t, "", "key", "add", "--requester", "acme"))
	owner, err := h.database(t).KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "command line", owner.Name)
	require.Contains(t, h.says(t, "", "key", "list", "--requester", "zeta"), "zeta has no keys yet")
	require.Equal(t, `zeta has no key "`+owner.UID+`": see portal key list`, h.fails(t, "", "key", "revoke", owner.UID, "--requester", "zeta"))
	_, err = h.database(t).KeyOwner(t.Context(), key)
	require.NoError(t, err, "it still opens")
}

func TestKeyAdd_RefusesALifetimeThatIsNone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	for lifetime, want := range map[string]string{
		"0s":   "--lifetime: a key cannot have expired already",
		"-1h":  "--lifetime: a key cannot have expired already",
		"720":  `--lifetime: expected duration but got "720": time: missing unit in duration "720"; see portal --help`,
		"1y":   `--lifetime: expected duration but got "1y": time: unknown unit "y" in duration "1y"; see portal --help`,
		"soon": `--lifetime: expected duration but got "soon": time: invalid duration "soon"; see portal --help`,
	} {
		require.Equal(t, want, h.fails(t, "", "key", "add", "--requester", "acme", "--lifetime="+lifetime), lifetime)
	}
	require.Contains(t, h.says(t, "", "key", "list", "--requester", "acme"), "no keys yet")
}
