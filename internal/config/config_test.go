package config

import (
	"bytes"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/contrib/envconfig"
)

var update = flag.Bool("update", false, "write the settings into docs/configuration.md")

func load(env ...string) (Config, error) {
	lookup := make(envconfigMap)
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		lookup[name] = value
	}
	return Load(lookup)
}

// envconfigMap is an environment of a test's own.
type envconfigMap map[string]string

func (m envconfigMap) LookupEnv(name string) (string, bool) {
	value, ok := m[name]
	return value, ok
}

func (m envconfigMap) Environ() []string {
	var all []string
	for name, value := range m {
		all = append(all, name+"="+value)
	}
	return all
}

var _ envconfig.EnvLookup = envconfigMap{}

func TestDefaults(t *testing.T) {
	c, err := load()
	require.NoError(t, err)
	c.env = nil
	require.Equal(t, Config{
		Home: ".meterkey", IdentityFile: ".meterkey/identity.txt", RecipientOrFile: ".meterkey/identity.txt.pub",
		HostDir: ".meterkey/host", Windows: 20, ChromiumArgs: []string{}, MailFrom: "Meterkey <notices@meterkey.localhost>",
		Outbox: ".meterkey/outbox", Evidence: ".meterkey/evidence", PortalURL: "http://127.0.0.1:8400", LogLevel: "info", LogFormat: "auto",
		PortalListen: "127.0.0.1:8400", PortalKeyFile: ".meterkey/portal.key", DatabaseFile: ".meterkey/meterkey.db",
	}, c)
}

func TestEverySetting(t *testing.T) {
	c, err := load("MK_HOME=/h", "MK_IDENTITY_FILE=/i", "MK_RECIPIENT=age1x", "MK_PAYLOAD_KEYS=/k", "MK_UTILITIES_DIR=/u", "MK_ORIGINS=/o",
		"MK_HOST_DIR=/hd", "MK_WINDOWS=1000", "MK_CHROMIUM=/c", "MK_CHROMIUM_ARGS= --a=b  --c ", "MK_CDP_URL=ws://127.0.0.1:9222/",
		"MK_SMTP_URL=smtps://me@mail.example:465", "MK_SMTP_PASSWORD_FILE=/p", "MK_MAIL_FROM=a@b.example", "MK_OUTBOX=/ob", "MK_EVIDENCE=/e",
		"MK_PORTAL_URL=https://meterkey.example/", "MK_TEMPORAL=/t", "MK_LOG_LEVEL=debug", "MK_LOG_FORMAT=json",
		"MK_PRACTICE_ORIGINS=/po", "MK_PRACTICE_URL=http://practice.example:8420/", "MK_PORTAL_LISTEN=[::]:80", "MK_PORTAL_KEY_FILE=/k2",
		"MK_DATABASE_URL=postgres://mk@db.example/meterkey?sslmode=verify-full", "MK_DATABASE_FILE=/db", "MK_WEBHOOKS_PRIVATE=true", "MK_GALLERY=true",
		"MK_BUILD_NUMBER=20261128231500")
	require.NoError(t, err)
	c.env = nil
	require.Equal(t, Config{
		Home: "/h", IdentityFile: "/i", RecipientOrFile: "age1x", PayloadKeysFile: "/k", UtilitiesDir: "/u", OriginsFile: "/o",
		HostDir: "/hd", Windows: 1000, Chromium: "/c", ChromiumArgs: []string{"--a=b", "--c"}, CDPURL: "ws://127.0.0.1:9222",
		SMTP: &url.URL{Scheme: "smtps", User: url.User("me"), Host: "mail.example:465"}, SMTPPasswordFile: "/p", MailFrom: "a@b.example",
		Outbox: "/ob", Evidence: "/e", PortalURL: "https://meterkey.example", TemporalTool: "/t", LogLevel: "debug", LogFormat: "json",
		PracticeOriginsFile: "/po", PracticeURL: "http://practice.example:8420", PortalListen: "[::]:80", PortalKeyFile: "/k2",
		DatabaseURL: "postgres://mk@db.example/meterkey?sslmode=verify-full", DatabaseFile: "/db", WebhooksPrivate: true, Gallery: true,
		BuildNumber: 20261128231500,
	}, c)
}

func TestDefaultsFollowOtherSettings(t *testing.T) {
	c, err := load("MK_HOME=/srv/mk", "MK_IDENTITY_FILE=/secrets/id", "MK_OUTBOX=")
	require.NoError(t, err)
	require.Equal(t, "/srv/mk/host", c.HostDir)
	require.Equal(t, "/secrets/id.pub", c.RecipientOrFile)
	require.Equal(t, "/srv/mk/outbox", c.Outbox, "an empty variable is none")
}

func TestWrongValues(t *testing.T) {
	for env, says := range map[string]string{
		"MK_WINDOWS=abc":                     "MK_WINDOWS: 'abc' is not a whole number from 1 to 1000",
		"MK_WINDOWS=0":                       "MK_WINDOWS: '0' is not a whole number from 1 to 1000",
		"MK_WINDOWS=1001":                    "MK_WINDOWS: '1001' is not a whole number from 1 to 1000",
		"MK_BUILD_NUMBER=v12":                "MK_BUILD_NUMBER: 'v12' is not a whole number from 0 to 999999999999999",
		"MK_PORTAL_LISTEN=8400":              "MK_PORTAL_LISTEN: '8400' is not an address such as 127.0.0.1:8400",
		"MK_PORTAL_LISTEN=localhost:http":    "MK_PORTAL_LISTEN: 'localhost:http' is not an address such as 127.0.0.1:8400",
		"MK_WEBHOOKS_PRIVATE=yes":            "MK_WEBHOOKS_PRIVATE: 'yes' is neither true nor false",
		"MK_DATABASE_URL=mysql://db/x":       "MK_DATABASE_URL: 'mysql://db/x' is not an address that begins with postgres:// or postgresql://",
		"MK_LOG_LEVEL=loud":                  "MK_LOG_LEVEL: 'loud' is none of debug, info, warn, error",
		"MK_LOG_FORMAT=xml":                  "MK_LOG_FORMAT: 'xml' is none of auto, console, json",
		"MK_PORTAL_URL=meterkey.example":     "MK_PORTAL_URL: 'meterkey.example' is not an address that begins with http:// or https://",
		"MK_CDP_URL=127.0.0.1:9222":          "MK_CDP_URL: '127.0.0.1:9222' is not an address that begins with http:// or https:// or ws:// or wss://",
		"MK_MAIL_FROM=notices":               "MK_MAIL_FROM: 'notices' is not a mail address such as Meterkey <notices@example.com>",
		"MK_SMTP_URL=mail.example:25":        "MK_SMTP_URL: 'mail.example:25' is not an address such as smtp://user@host:587 or smtps://user@host:465",
		"MK_SMTP_URL=smtp://":                "MK_SMTP_URL: 'smtp://' is not an address such as smtp://user@host:587 or smtps://user@host:465",
		"MK_SMTP_URL=smtp://u:s3cret@m.test": "MK_SMTP_URL: 'smtp://u:xxxxx@m.test' holds a password, which belongs in the file that MK_SMTP_PASSWORD_FILE names",
	} {
		t.Run(env, func(t *testing.T) {
			_, err := load(env)
			require.EqualError(t, err, says)
		})
	}
	_, err := load("MK_WINDOWS=abc", "MK_LOG_LEVEL=loud")
	require.ErrorContains(t, err, "MK_WINDOWS")
	require.ErrorContains(t, err, "MK_LOG_LEVEL", "all that is wrong is said at once")
}

func TestUnknown(t *testing.T) {
	c, err := load("MK_WINDOW=3", "MK_SMTP_PASSWORD=s3cret", "MK_HOME=/h", "HOME=/root", "XMK_HOME=/h", "MK_POSTGRES=/usr/bin", "MK_PICTURES=/p")
	require.NoError(t, err)
	require.Equal(t, []string{
		"MK_SMTP_PASSWORD is not a setting; did you mean MK_SMTP_PASSWORD_FILE?",
		"MK_WINDOW is not a setting; did you mean MK_WINDOWS?",
	}, c.Unknown)
}

func TestLoadReadsTheProcess(t *testing.T) {
	t.Setenv("MK_HOME", "/srv/mk")
	c, err := Load(nil)
	require.NoError(t, err)
	require.Equal(t, "/srv/mk", c.Home)
}

func TestRecipient(t *testing.T) {
	home := t.TempDir()
	c, err := load("MK_HOME=" + home)
	require.NoError(t, err)
	_, err = c.Recipient()
	require.ErrorContains(t, err, "reading MK_RECIPIENT: no recipient file "+home)

	key, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "identity.txt.pub"), []byte(key.Recipient().String()), 0o600))
	recipient, err := c.Recipient()
	require.NoError(t, err)
	require.Equal(t, key.Recipient().String(), recipient)
}

func TestSettingsAreComplete(t *testing.T) {
	names := make(map[string]bool)
	for _, s := range Settings() {
		require.True(t, strings.HasPrefix(s.Name, prefix), s.Name)
		require.False(t, names[s.Name], s.Name+" stands there once")
		require.NotContains(t, s.Meaning, "|", "the documentation is a table")
		os.Expand(s.Default, func(earlier string) string {
			require.True(t, names[earlier], s.Name+" names a setting before it")
			return ""
		})
		names[s.Name] = true
	}
}

// TestDocumentation holds the table in docs/configuration.md against the code; -update writes it.
func TestDocumentation(t *testing.T) {
	const file, begin, end = "../../docs/configuration.md", "<!-- settings -->\n", "<!-- end of settings -->"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := bytes.Cut(text, []byte(begin))
	require.True(t, found, begin)
	table, after, found := bytes.Cut(rest, []byte(end))
	require.True(t, found, end)
	if *update {
		table = []byte(documentation())
		written := bytes.Join([][]byte{before, []byte(begin), table, []byte(end), after}, nil)
		require.NoError(t, os.WriteFile(file, written, 0o600))
	}
	require.Equal(t, documentation(), string(table), "run go test ./internal/config -update")
}

func documentation() string {
	var doc strings.Builder
	doc.WriteString("| variable | default | meaning |\n| --- | --- | --- |\n")
	for _, s := range Settings() {
		value := s.Default
		if value != "" {
			value = "`" + value + "`"
		}
		doc.WriteString("| `" + s.Name + "` | " + value + " | " + s.Meaning + " |\n")
	}
	return doc.String()
}
