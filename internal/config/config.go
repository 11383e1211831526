// Package config reads the processes' settings, from the environment alone.
//
// The table in settings.go is the only place that names a setting: loading, error messages and docs/configuration.md
// follow from it. Temporal's address, namespace, TLS and API key are the SDK's own TEMPORAL_ variables and profiles.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"

	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/meterkey/meterkey/internal/sealed"
)

// Config is what the processes were told. Paths are as given: relative ones start at the working folder.
type Config struct {
	Home         string
	IdentityFile string
	// RecipientOrFile is a recipient or a file that holds one: see Recipient.
	RecipientOrFile string
	PayloadKeysFile string
	UtilitiesDir    string
	OriginsFile     string
	// PracticeOriginsFile holds the origins for test requests; PracticeURL is where the practice utilities are controlled.
	PracticeOriginsFile string
	PracticeURL         string

	HostDir      string
	Windows      int
	Chromium     string
	ChromiumArgs []string
	CDPURL       string

	// SMTP is the mail server (scheme smtp or smtps, perhaps a user, never a password); nil: notices go to Outbox.
	SMTP             *url.URL
	SMTPPasswordFile string
	// MailFrom is an RFC 5322 address, perhaps with a name.
	MailFrom string
	Outbox   string

	Evidence string
	// DatabaseURL is a PostgreSQL server's, or empty: DatabaseFile is used then.
	DatabaseURL  string
	DatabaseFile string
	PortalURL    string
	// PortalListen is the address that the portal listens on, host:port.
	PortalListen  string
	PortalKeyFile string
	// WebhooksPrivate allows webhooks to private and loopback addresses.
	WebhooksPrivate bool
	// Gallery has the portal show all of its pages in all of their states.
	Gallery      bool
	TemporalTool string
	// BuildNumber is this build's version of the workers' deployment; 0: they are not versioned.
	BuildNumber int
	LogLevel    string
	LogFormat   string

	// Unknown has a sentence for each MK_ variable that is no setting, in order of name: worth a warning.
	Unknown []string

	env envconfig.EnvLookup
}

// Load reads the settings; nil reads the process's environment. The error has one line for each wrong value. An empty
// variable counts as one that is not there.
func Load(env envconfig.EnvLookup) (Config, error) {
	if env == nil {
		env = envconfig.EnvLookupOS
	}
	c := Config{env: env}
	values := make(map[string]string, len(table))
	var wrong []error
	for _, s := range table {
		value, _ := env.LookupEnv(s.Name)
		if value == "" {
			value = os.Expand(s.Default, func(name string) string { return values[name] })
		}
		values[s.Name] = value
		if err := s.set(&c, value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: '%s' %w", s.Name, redacted(value), err))
		}
	}
	c.Unknown = unknown(env.Environ())
	return c, errors.Join(wrong...)
}

// redacted is the value without the password that an address may hold by mistake.
func redacted(value string) string {
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return u.Redacted()
	}
	return value
}

// Recipient reads the workers' recipient: what to seal logins and codes to.
func (c Config) Recipient() (string, error) {
	recipient, err := sealed.ReadRecipient(c.RecipientOrFile)
	if err != nil {
		return "", fmt.Errorf("reading MK_RECIPIENT: %w", err)
	}
	return recipient, nil
}
