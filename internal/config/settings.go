package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/meterkey/meterkey/internal/logging"
)

// Setting is one environment variable.
type Setting struct {
	Name string
	// Default is the value when the variable is absent; it may name settings that stand before it ("$MK_HOME/…").
	Default string
	// Meaning is one line for people, in Markdown.
	Meaning string

	set func(c *Config, value string) error
}

// Settings lists every setting, in the order of the documentation.
func Settings() []Setting { return slices.Clone(table) }

var table = []Setting{
	{"MK_HOME", ".meterkey", "Folder of what is kept between runs.", text(func(c *Config) *string { return &c.Home })},
	{"MK_IDENTITY_FILE", "$MK_HOME/identity.txt",
		"The workers' age identity, in age-keygen's format, readable by its owner alone; made when there is none. Of several all open, and the first one's recipient is published.",
		text(func(c *Config) *string { return &c.IdentityFile })},
	{"MK_RECIPIENT", "$MK_IDENTITY_FILE.pub",
		"What logins and codes are sealed to: a recipient (`age1…`) or a file that holds one.",
		text(func(c *Config) *string { return &c.RecipientOrFile })},
	{"MK_PAYLOAD_KEYS", "",
		"File of keys that encrypt what Temporal stores, a line each: a key id and 32 bytes in base64. The first encrypts, all decrypt. The same for every process. Without it nothing is encrypted beyond what is sealed.",
		text(func(c *Config) *string { return &c.PayloadKeysFile })},
	{"MK_UTILITIES_DIR", "", "Folder of utility files that add to the built-in ones or replace them.",
		text(func(c *Config) *string { return &c.UtilitiesDir })},
	{"MK_ORIGINS", "",
		"File that replaces the origins of utilities' sites, a pair a line: the real one and the one to use. `sandbox` prints its own.",
		text(func(c *Config) *string { return &c.OriginsFile })},
	{"MK_PRACTICE_ORIGINS", "$MK_ORIGINS",
		"The same for test requests: they are never taken to a site that this file does not name. Without it test requests are refused.",
		text(func(c *Config) *string { return &c.PracticeOriginsFile })},
	{"MK_PRACTICE_URL", "", "Front page of the practice utilities, for the test scenarios of the API; without it there are none.",
		address(func(c *Config) *string { return &c.PracticeURL }, "http", "https")},
	{"MK_HOST_DIR", "$MK_HOME/host", "Folder of the worker's browser: its id, profile and process id. One worker, one folder.",
		text(func(c *Config) *string { return &c.HostDir })},
	{"MK_WINDOWS", "20", "How many browser windows a worker keeps open at most, from 1 to 1000.",
		number(1, 1000, func(c *Config) *int { return &c.Windows })},
	{"MK_CHROMIUM", "", "The Chromium to run; without it the first one found in the usual places.",
		text(func(c *Config) *string { return &c.Chromium })},
	{"MK_CHROMIUM_ARGS", "", "More arguments for Chromium, separated by spaces.", setChromiumArgs},
	{"MK_CDP_URL", "", "A Chromium that runs already, by the address of its DevTools protocol (`http://` or `ws://`); none is started then.",
		address(func(c *Config) *string { return &c.CDPURL }, "http", "https", "ws", "wss")},
	{"MK_SMTP_URL", "",
		"Mail server for notices: `smtp://user@host:587` uses STARTTLS where the server offers it, `smtps://user@host:465` begins with TLS. Without it notices are files in MK_OUTBOX.",
		setSMTP},
	{"MK_SMTP_PASSWORD_FILE", "", "File that holds the password of the user in MK_SMTP_URL.",
		text(func(c *Config) *string { return &c.SMTPPasswordFile })},
	{"MK_MAIL_FROM", "Meterkey <notices@meterkey.localhost>", "Sender of notices.", setMailFrom},
	{"MK_OUTBOX", "$MK_HOME/outbox", "Folder for notices as `.eml` files when there is no mail server.",
		text(func(c *Config) *string { return &c.Outbox })},
	{"MK_EVIDENCE", "$MK_HOME/evidence", "Folder for the screenshot and outline of pages that nobody knows.",
		text(func(c *Config) *string { return &c.Evidence })},
	{"MK_PORTAL_URL", "http://127.0.0.1:8400", "Where customers reach the portal; links in notices begin with it.",
		address(func(c *Config) *string { return &c.PortalURL }, "http", "https")},
	{"MK_PORTAL_LISTEN", "127.0.0.1:8400", "What the portal listens on, as `host:port`. Put a server that speaks TLS before it.", setPortalListen},
	{"MK_PORTAL_KEY_FILE", "$MK_HOME/portal.key",
		"The key of customers' links and of webhooks' secrets in the database, the same for workers and portals; made when there is none.",
		text(func(c *Config) *string { return &c.PortalKeyFile })},
	{"MK_DATABASE_URL", "", "The PostgreSQL database of workers and portals, `postgres://user@host/name`. Without it they share MK_DATABASE_FILE.",
		address(func(c *Config) *string { return &c.DatabaseURL }, "postgres", "postgresql")},
	{"MK_DATABASE_FILE", "$MK_HOME/meterkey.db", "The SQLite database where there is no PostgreSQL: for one machine.",
		text(func(c *Config) *string { return &c.DatabaseFile })},
	{"MK_WEBHOOKS_PRIVATE", "false", "`true` lets webhooks go to private and loopback addresses.", yesNo(func(c *Config) *bool { return &c.WebhooksPrivate })},
	{"MK_GALLERY", "false", "`true` has the portal show every customer's page in every state, at `/gallery`.", yesNo(func(c *Config) *bool { return &c.Gallery })},
	{"MK_TEMPORAL", "", "The `temporal` command line tool whose development server to run; without it `.tools/bin` is looked in, then the PATH.",
		text(func(c *Config) *string { return &c.TemporalTool })},
	{"MK_BUILD_NUMBER", "0",
		"The build's number, higher with each build, where workers are versioned (see [upgrading.md](upgrading.md)): the highest takes the workflows, and an operator can go back to a lower one. `0`: not versioned.",
		number(0, mostBuilds, func(c *Config) *int { return &c.BuildNumber })},
	{"MK_LOG_LEVEL", "info", "`debug`, `info`, `warn` or `error`.", setLogLevel},
	{"MK_LOG_FORMAT", logging.Auto, "`console`, `json`, or `auto`: `console` on a terminal, `json` elsewhere.",
		oneOf(func(c *Config) *string { return &c.LogFormat }, logging.Auto, logging.Console, logging.JSON)},
}

// mostBuilds leaves room for a date and time as the number, such as 20261128231500.
const mostBuilds = 999_999_999_999_999

func text(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, value string) error {
		*field(c) = value
		return nil
	}
}

func number(least, most int, field func(*Config) *int) func(*Config, string) error {
	return func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return fmt.Errorf("is not a whole number from %d to %d", least, most)
		}
		*field(c) = n
		return nil
	}
}

func oneOf(field func(*Config) *string, choices ...string) func(*Config, string) error {
	return func(c *Config, value string) error {
		if !slices.Contains(choices, value) {
			return fmt.Errorf("is none of %s", strings.Join(choices, ", "))
		}
		*field(c) = value
		return nil
	}
}

func yesNo(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, value string) error {
		if value != "true" && value != "false" {
			return errors.New("is neither true nor false")
		}
		*field(c) = value == "true"
		return nil
	}
}

func setPortalListen(c *Config, value string) error {
	_, port, err := net.SplitHostPort(value)
	if n, portErr := strconv.Atoi(port); err != nil || portErr != nil || n < 0 || n > 65535 {
		return errors.New("is not an address such as 127.0.0.1:8400")
	}
	c.PortalListen = value
	return nil
}

func address(field func(*Config) *string, schemes ...string) func(*Config, string) error {
	return func(c *Config, value string) error {
		if value == "" {
			return nil
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
			return fmt.Errorf("is not an address that begins with %s://", strings.Join(schemes, ":// or "))
		}
		*field(c) = strings.TrimSuffix(value, "/")
		return nil
	}
}

func setChromiumArgs(c *Config, value string) error {
	c.ChromiumArgs = strings.Fields(value)
	return nil
}

func setMailFrom(c *Config, value string) error {
	if _, err := mail.ParseAddress(value); err != nil {
		return errors.New("is not a mail address such as Meterkey <notices@example.com>")
	}
	c.MailFrom = value
	return nil
}

func setLogLevel(c *Config, value string) error {
	if _, err := zapcore.ParseLevel(value); err != nil {
		return errors.New("is none of debug, info, warn, error")
	}
	c.LogLevel = value
	return nil
}

func setSMTP(c *Config, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return errors.New("is not an address such as smtp://user@host:587 or smtps://user@host:465")
	}
	if _, has := u.User.Password(); has {
		return errors.New("holds a password, which belongs in the file that MK_SMTP_PASSWORD_FILE names")
	}
	c.SMTP = u
	return nil
}
