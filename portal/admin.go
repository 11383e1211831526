package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/portal/webhooks"
)

type migrateCmd struct{}

// Run implements the command.
func (migrateCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		version, err := s.Migrate(a.ctx)
		if err == nil {
			fmt.Fprintf(a.stdout, "the database is at version %d\n", version)
		}
		return err
	})
}

type requesterCmd struct {
	Add  requesterAddCmd  `cmd:"" help:"Add a requester, or change one."`
	List requesterListCmd `cmd:"" help:"List the requesters."`
}

type requesterAddCmd struct {
	UID   string  `arg:"" help:"An id of your choosing: letters, digits and . _ -"`
	Name  *string `help:"How customers know the requester; the id unless given."`
	Email *string `help:"Receives the requester's notices."`
}

// Run implements the command.
func (c requesterAddCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		r, err := s.Requester(a.ctx, c.UID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		r = c.applied(r)
		if err := canAsk(r); err != nil {
			return err
		}
		if r, err = s.PutRequester(a.ctx, r); err == nil {
			fmt.Fprintf(a.stdout, "%s (%s) may ask customers for access\n", r.UID, r.Name)
		}
		return err
	})
}

// applied is the requester as the command wants it. What the command leaves out stays as it is.
func (c requesterAddCmd) applied(r store.Requester) store.Requester {
	r.UID = c.UID
	if c.Name != nil {
		r.Name = *c.Name
	}
	if c.Email != nil {
		r.Email = *c.Email
	}
	r.Name = cmp.Or(r.Name, r.UID)
	return r
}

// canAsk tells what would keep this requester's data requests from starting.
func canAsk(r store.Requester) error {
	request := meterkey.Request{RequestID: "any", Requester: r.UID, RequesterName: r.Name, RequesterEmail: r.Email}
	if err := request.Validate(); err != nil {
		return fmt.Errorf("no data request of this requester could start: %w", err)
	}
	return nil
}

type requesterListCmd struct{}

// Run implements the command.
func (requesterListCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		all, err := s.Requesters(a.ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			fmt.Fprintln(a.stdout, "no requesters yet; add one: portal requester add acme --name \"Acme Solar\"")
			return nil
		}
		table := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "REQUESTER\tNAME\tE-MAIL\tSINCE")
		for _, r := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.UID, r.Name, r.Email, r.Created.Format(time.DateOnly))
		}
		return table.Flush()
	})
}

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Add somebody. The password is asked for, or read from standard input."`
	Password userPasswordCmd `cmd:"" help:"Set somebody's password anew; it is asked for, or read from standard input."`
}

type userAddCmd struct {
	Email     string `arg:"" help:"E-mail address to sign in with."`
	Requester string `required:"" help:"The requester whose dashboard it is."`
	Name      string `help:"The person's name."`
}

// Run implements the command.
func (c userAddCmd) Run(a *app) error {
	password, err := a.readPassword("Password for " + c.Email)
	if err != nil {
		return err
	}
	return a.withStore(func(s *store.Store) error {
		u, err := s.AddUser(a.ctx, store.User{RequesterUID: c.Requester, Email: c.Email, Name: c.Name}, password)
		if err == nil {
			fmt.Fprintf(a.stdout, "%s signs in to %s's dashboard at %s/dashboard/\n", u.Email, u.RequesterUID, a.settings.PortalURL)
		}
		if errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("%[1]s signs in already: portal user password %[1]s sets the password anew", c.Email)
		}
		return noRequester(c.Requester, err)
	})
}

// noRequester says it in words for whoever typed the command.
func noRequester(uid string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no requester is called %q: see portal requester list, or add it with portal requester add", uid)
	}
	return err
}

type userPasswordCmd struct {
	Email string `arg:"" help:"E-mail address of the user."`
}

// Run implements the command.
func (c userPasswordCmd) Run(a *app) error {
	password, err := a.readPassword("New password for " + c.Email)
	if err != nil {
		return err
	}
	return a.withStore(func(s *store.Store) error {
		err := s.SetPassword(a.ctx, c.Email, password)
		switch {
		case err == nil:
			fmt.Fprintln(a.stdout, "the password is set; all of this user's sessions have ended")
		case errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("nobody signs in as %s: add them with portal user add", c.Email)
		}
		return err
	})
}

// errStopped tells that somebody pressed Ctrl-C instead of answering.
var errStopped = errors.New("stopped; nothing was changed")

// readPassword asks on a terminal, without echo; elsewhere it reads the first line of standard input.
func (a *app) readPassword(prompt string) (string, error) {
	if file, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return a.askPassword(int(file.Fd()), prompt)
	}
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("no password: type it on a terminal, or send it as the first line of standard input")
	}
	return line, nil
}

// askPassword asks on the terminal. A terminal cannot be told to stop reading: when the process is told to stop first, the
// reader is left behind and the terminal gets its echo back.
func (a *app) askPassword(terminal int, prompt string) (string, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	fmt.Fprintf(a.stdout, "%s (at least 10 characters, not shown): ", prompt)
	defer fmt.Fprintln(a.stdout)
	type answer struct {
		typed []byte
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		typed, err := term.ReadPassword(terminal)
		answers <- answer{typed, err}
	}()
	select {
	case got := <-answers:
		if got.err != nil {
			return "", fmt.Errorf("reading the password: %w", got.err)
		}
		return string(got.typed), nil
	case <-a.ctx.Done():
		return "", errors.Join(errStopped, term.Restore(terminal, before))
	}
}

type keyCmd struct {
	Add    keyAddCmd    `cmd:"" help:"Make an API key; it is printed once."`
	List   keyListCmd   `cmd:"" help:"List a requester's keys."`
	Revoke keyRevokeCmd `cmd:"" help:"Make a key useless for ever."`
}

type keyAddCmd struct {
	Requester string        `required:"" help:"Whose key it is."`
	Name      string        `default:"command line" help:"What the key is for."`
	Lifetime  time.Duration `default:"87600h" help:"How long it works, such as 720h; ten years unless given."`
}

// Run implements the command.
func (c keyAddCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		if c.Lifetime <= 0 {
			return errors.New("--lifetime: a key cannot have expired already")
		}
		expires := time.Now().Add(c.Lifetime)
		_, key, err := s.AddKey(a.ctx, c.Requester, c.Name, &expires)
		if err == nil {
			fmt.Fprintln(a.stdout, key)
		}
		return noRequester(c.Requester, err)
	})
}

type keyListCmd struct {
	Requester string `required:"" help:"Whose keys."`
}

// Run implements the command.
func (c keyListCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		if _, err := s.Requester(a.ctx, c.Requester); err != nil {
			return noRequester(c.Requester, err)
		}
		keys, err := s.Keys(a.ctx, c.Requester)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			fmt.Fprintf(a.stdout, "%[1]s has no keys yet; make one: portal key add --requester %[1]s\n", c.Requester)
			return nil
		}
		table := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "KEY\tBEGINS WITH\tNAME\tCREATED\tEXPIRES\tLAST USED\tREVOKED")
		for _, k := range keys {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.UID, k.Prefix, k.Name, k.Created.Format(time.DateOnly),
				date(k.Expires), date(k.LastUsed), date(k.Revoked))
		}
		return table.Flush()
	})
}

func date(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.DateOnly)
}

type keyRevokeCmd struct {
	UID       string `arg:"" help:"The key's id, as portal key list shows it."`
	Requester string `required:"" help:"Whose key it is."`
}

// Run implements the command.
func (c keyRevokeCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		err := s.RevokeKey(a.ctx, c.Requester, c.UID)
		switch {
		case err == nil:
			fmt.Fprintf(a.stdout, "key %s is revoked\n", c.UID)
		case errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("%s has no key %q: see portal key list", c.Requester, c.UID)
		}
		return err
	})
}

type redeliverCmd struct {
	UID string `arg:"" help:"The delivery's id, as the dashboard and the API show it."`
}

// Run implements the command.
func (c redeliverCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		temporal, _, err := a.settings.TemporalClient(a.ctx, a.log)
		if err != nil {
			return err
		}
		defer temporal.Close()
		again, err := webhooks.Redeliver(a.ctx, s, &webhook.Starter{Temporal: temporal, Store: s, Log: a.log}, "", c.UID)
		if err == nil {
			fmt.Fprintf(a.stdout, "delivery %s goes to %s again as %s\n", c.UID, again.Webhook.URL, again.UID)
		}
		return err
	})
}
