package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

// environment is a list of KEY=value.
type environment []string

func (e environment) Environ() []string { return e }

func (e environment) LookupEnv(name string) (string, bool) {
	for _, pair := range slices.Backward(e) {
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value, true
		}
	}
	return "", false
}

// home is a portal's folder and settings.
type home struct {
	dir string
	env environment
}

func newHome(t *testing.T, env ...string) home {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	return home{dir, append(environment{"MK_HOME=" + dir, "MK_LOG_FORMAT=json"}, env...)}
}

// says runs a command that must succeed.
func (h home) says(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := h.run(t.Context(), stdin, args...)
	require.NoError(t, err, "portal %s", strings.Join(args, " "))
	return out
}

func (h home) run(ctx context.Context, stdin string, args ...string) (string, error) {
	var out, log bytes.Buffer
	err := run(ctx, args, h.env, strings.NewReader(stdin), &out, &log)
	return out.String(), err
}

func TestHelp_Teaches(t *testing.T) {
	t.Parallel()
	text := newHome(t).says(t, "", "--help")
	for _, word := range []string{"MK_DATABASE_URL", "TEMPORAL_ADDRESS", "portal key add --requester acme", "docs/configuration.md", "redeliver"} {
		require.Contains(t, text, word)
	}
	require.Contains(t, newHome(t).says(t, "", "user", "add", "--help"), "standard input")
}

func TestAdmin_FromNothingToAKey(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	require.Contains(t, h.says(t, "", "requester", "list"), "no requesters yet; add one")
	require.Contains(t, h.says(t, "", "requester", "add", "acme", "--name", "Acme Solar", "--email", "desk@acme.example"), "acme (Acme Solar)")
	require.Regexp(t, `acme +Acme Solar +desk@acme.example`, h.says(t, "", "requester", "list"))
	require.Contains(t, h.says(t, "correct horse battery\n", "user", "add", "Pat@acme.example", "--requester", "acme"), "pat@acme.example signs in")
	require.Contains(t, h.says(t, "another good one\n", "user", "password", "pat@acme.example"), "is set")

	key := strings.TrimSpace(h.says(t, "", "key", "add", "--requester", "acme", "--name", "backend"))
	listed := h.says(t, "", "key", "list", "--requester", "acme")
	require.Contains(t, listed, "backend")
	require.NotContains(t, listed, key, "a key is shown once")

	s, err := store.Open(t.Context(), store.Options{File: filepath.Join(h.dir, "meterkey.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	owner, err := s.KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "acme", owner.RequesterUID)
	require.WithinDuration(t, time.Now().Add(10*365*24*time.Hour), *owner.Expires, time.Minute)
	_, err = s.CheckPassword(t.Context(), "pat@acme.example", "another good one")
	require.NoError(t, err)

	require.Contains(t, h.says(t, "", "key", "revoke", owner.UID, "--requester", "acme"), "revoked")
	_, err = s.KeyOwner(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Contains(t, h.says(t, "", "migrate"), "the database is at version")
}

func TestAdmin_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	for says, c := range map[string]struct{ stdin, line string }{
		"see portal --help":                    {"", "frobnicate"},
		"missing flags: --requester":           {"", "key add"},
		`no requester is called "nobody"`:      {"", "key add --requester nobody"},
		"cannot have expired already":          {"", "key add --requester acme --lifetime=-1h"},
		"acme has no key \"k\"":                {"", "key revoke k --requester acme"},
		"no password: type it":                 {"", "user add a@b.example --requester acme"},
		"10 to 1000 characters":                {"short\n", "user add a@b.example --requester acme"},
		`no requester is called "stranger"`:    {"long enough password\n", "user add a@b.example --requester stranger"},
		"requester":                            {"", "requester add no/slash"},
		"connecting to Temporal at":            {"", "redeliver d1"},
		"asking the portal":                    {"", "health"},
		"nobody signs in as who@acme.example:": {"long enough password\n", "user password who@acme.example"},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			lonely := home{h.dir, append(slices.Clone(h.env), "TEMPORAL_ADDRESS=127.0.0.1:9", "MK_PORTAL_LISTEN=127.0.0.1:9")}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			_, err := lonely.run(ctx, c.stdin, strings.Fields(c.line)...)
			require.ErrorContains(t, err, says)
		})
	}
}

func TestServe_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for says, env := range map[string]string{
		"MK_PORTAL_LISTEN: 'here'":     "MK_PORTAL_LISTEN=here",
		"loading utilities":            "MK_UTILITIES_DIR=/nowhere/at/all",
		"making the database's folder": "MK_DATABASE_FILE=/proc/nowhere/x.db",
		"portal's key file":            "MK_PORTAL_KEY_FILE=/proc/nowhere/key",
		"connecting to Temporal at":    "TEMPORAL_ADDRESS=127.0.0.1:9",
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, "MK_RECIPIENT="+recipient(t), env)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			_, err := h.run(ctx, "")
			require.ErrorContains(t, err, says)
		})
	}
}

func recipient(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return identity.Recipient().String()
}

// serving is a portal that runs in this process.
type serving struct {
	home
	url   string
	end   context.CancelFunc
	ended chan error
}

// stop tells it to stop and says how it ended.
func (s serving) stop() error {
	s.end()
	return <-s.ended
}

func serve(t *testing.T, temporal *devenv.Temporal, env ...string) serving {
	t.Helper()
	address, err := devenv.FreeAddress("")
	require.NoError(t, err)
	h := newHome(t, append([]string{"TEMPORAL_ADDRESS=" + temporal.Address(), "MK_PORTAL_LISTEN=" + address, "MK_PORTAL_URL=http://" + address}, env...)...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := h.run(ctx, "")
		ended <- err
	}()
	t.Cleanup(cancel)
	return serving{home: h, url: "http://" + address, end: cancel, ended: ended}
}

func (s serving) get(t *testing.T, path string) (int, string, http.Header) {
	t.Helper()
	client := &http.Client{Timeout: 3 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
	require.NoError(t, err)
	answer, err := client.Do(request)
	if err != nil {
		return 0, err.Error(), nil
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode, body.String(), answer.Header
}

func (s serving) ready(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		status, _, _ := s.get(t, "/healthz")
		return status == http.StatusOK
	}, 3*time.Minute, 20*time.Millisecond)
}

func TestServe(t *testing.T) {
	t.Parallel()
	temporal, err := devenv.StartTemporal(t.Context(), devenv.TemporalOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, temporal.Stop(context.Background())) })

	t.Run("waits for the workers' recipient, then is well", func(t *testing.T) {
		s := serve(t, temporal)
		file := filepath.Join(s.dir, "identity.txt.pub")
		require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(s.dir, "portal.key")); return err == nil }, 3*time.Minute, 10*time.Millisecond)
		status, _, _ := s.get(t, "/healthz")
		require.Zero(t, status, "it does not listen yet")
		require.NoError(t, os.WriteFile(file, []byte(recipient(t)), 0o600))
		s.ready(t)
		require.Contains(t, s.says(t, "", "health"), `"ok"`)
		require.NoError(t, s.stop())
		_, err := s.run(t.Context(), "", "health")
		require.ErrorContains(t, err, "asking the portal")
	})

	t.Run("shows what it has", func(t *testing.T) {
		s := serve(t, temporal, "MK_RECIPIENT="+recipient(t), "MK_GALLERY=true")
		s.ready(t)
		for path, want := range map[string]int{"/": http.StatusSeeOther, "/dashboard/sign-in": http.StatusOK, "/api/docs": http.StatusOK,
			"/api/v2/forms": http.StatusUnauthorized, "/gallery/": http.StatusOK, "/r/forged.1.x": http.StatusNotFound, "/nothing": http.StatusNotFound} {
			status, body, header := s.get(t, path)
			require.Equal(t, want, status, "%s: %s", path, body)
			if strings.HasPrefix(path, "/r/") || strings.HasPrefix(path, "/dashboard") {
				require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'self'", path)
			}
		}
		require.NoError(t, s.stop())
	})

	t.Run("has no gallery unless asked", func(t *testing.T) {
		s := serve(t, temporal, "MK_RECIPIENT="+recipient(t))
		s.ready(t)
		status, _, _ := s.get(t, "/gallery/")
		require.Equal(t, http.StatusNotFound, status)
		require.NoError(t, s.stop())
	})

	t.Run("refuses forms of other sites", func(t *testing.T) {
		s := serve(t, temporal, "MK_RECIPIENT="+recipient(t))
		s.ready(t)
		key, err := portalkey.LoadOrCreate(filepath.Join(s.dir, "portal.key"))
		require.NoError(t, err)
		for _, path := range []string{"/r/" + key.LinkToken("r-1", time.Now()) + "/decline", "/dashboard/sign-in"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader("a=b"))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Sec-Fetch-Site", "cross-site")
			answer, err := (&http.Client{Timeout: 3 * time.Minute}).Do(request)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, http.StatusForbidden, answer.StatusCode, path)
		}
		require.NoError(t, s.stop())
	})

	t.Run("delivers again what it is told to", func(t *testing.T) { redelivers(t, temporal) })

	t.Run("says what was terminated or deleted", func(t *testing.T) { reconciles(t, temporal) })

	t.Run("stands beside another", func(t *testing.T) { standsBeside(t, temporal) })

	t.Run("needs an address of its own", func(t *testing.T) {
		taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer taken.Close() //nolint:errcheck // nobody connected
		s := serve(t, temporal, "MK_RECIPIENT="+recipient(t), fmt.Sprintf("MK_PORTAL_LISTEN=%s", taken.Addr()))
		require.ErrorContains(t, <-s.ended, "MK_PORTAL_LISTEN names another address")
	})

	t.Run("is unwell without Temporal", func(t *testing.T) {
		own, err := devenv.StartTemporal(t.Context(), devenv.TemporalOptions{Dir: t.TempDir()})
		require.NoError(t, err)
		s := serve(t, own, "MK_RECIPIENT="+recipient(t))
		s.ready(t)
		require.NoError(t, own.Stop(t.Context()))
		require.Eventually(t, func() bool {
			status, body, _ := s.get(t, "/healthz")
			return status == http.StatusServiceUnavailable && strings.Contains(body, `"temporal":"does not answer"`)
		}, 3*time.Minute, 50*time.Millisecond)
		_, err = s.run(t.Context(), "", "health")
		require.ErrorContains(t, err, "not well")
		require.NoError(t, s.stop())
	})
}
