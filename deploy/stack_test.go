package deploy

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/internal/postgrestest"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/workflows"
)

const (
	patience = 3 * time.Minute       // for what must happen
	glance   = 50 * time.Millisecond // between two looks
)

// arrangement is the Compose file's own, without Docker: its programs with its flags and settings, in which only addresses
// and folders are others. Temporal, PostgreSQL, Chromium and the mail server are real ones of this machine.
type arrangement struct {
	project *types.Project
	file    dockerfile
	dir     string
	// moved pairs what the file says with what it is here.
	moved   []string
	browser *stack.Process
	mail    *catcher
	// throughDoor counts the connections that came in by sandbox-door.
	throughDoor atomic.Int64
}

func arrange(t *testing.T) *arrangement {
	t.Helper()
	a := &arrangement{project: practising(t), file: theDockerfile(t), dir: t.TempDir(), mail: &catcher{}}
	for name := range a.project.Volumes {
		require.NoError(t, os.MkdirAll(filepath.Join(a.dir, name), 0o700))
	}
	server, err := stack.StartTemporal(t.Context(), stack.TemporalOptions{Dir: filepath.Join(a.dir, "temporal")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	practice := free(t)
	a.moved = []string{
		"temporal:7233", server.Address(), "db:5432", free(t), "127.0.0.1:9222", free(t), "127.0.0.1:8420", practice,
		"0.0.0.0:8400", free(t), "mail:1025", a.mail.serve(t), "sandbox:8421", a.door(t, practice),
	}
	return a
}

// here says of a service's text what it means on this machine.
func (a *arrangement) here(service, text string) string {
	moved := slices.Clone(a.moved)
	for _, volume := range a.project.Services[service].Volumes {
		source := volume.Source
		if volume.Type == types.VolumeTypeVolume {
			source = filepath.Join(a.dir, source)
		}
		if text == volume.Target {
			return source
		}
		moved = append(moved, volume.Target+"/", source+"/", "="+volume.Target+"=", "="+source+"=")
	}
	return strings.NewReplacer(moved...).Replace(text)
}

// address is what one of the file's addresses is here.
func (a *arrangement) address(inFile string) string { return a.here("keys", inFile) }

func (a *arrangement) env(service string) environment {
	env := environmentOf(a.project.Services[service])
	for name, value := range env {
		env[name] = a.here(service, value)
	}
	return env
}

func (a *arrangement) command(service string) []string {
	var args []string
	for _, argument := range a.project.Services[service].Command {
		args = append(args, a.here(service, argument))
	}
	return args
}

// start runs one of our services. It is killed in the end, if it still runs.
func (a *arrangement) start(t *testing.T, service, program string, args ...string) *stack.Process {
	t.Helper()
	p, err := stack.Start(stack.Command{Path: program, Args: args, Env: a.env(service).Environ(), Log: filepath.Join(a.dir, service+".log")})
	require.NoError(t, err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Stop(ended) // it is killed at once, which Stop calls an error
		if t.Failed() {
			t.Logf("%s said last:\n%s", service, p.Tail())
		}
	})
	return p
}

// run runs one of our jobs to its end.
func (a *arrangement) run(t *testing.T, service string) {
	t.Helper()
	require.NoError(t, a.start(t, service, bin+service, a.command(service)...).Wait(t.Context()), service)
}

func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, patience, glance, what)
}

// temporalSetup runs the job's script, which finds the tool that its image has.
func (a *arrangement) temporalSetup(t *testing.T) {
	t.Helper()
	tool, err := stack.FindTemporal("")
	require.NoError(t, err)
	s := a.project.Services["temporal-setup"]
	script := exec.CommandContext(t.Context(), s.Entrypoint[0], a.here(s.Name, s.Entrypoint[1]))
	script.Env = append(a.env(s.Name).Environ(), "PATH="+filepath.Dir(tool)+":"+os.Getenv("PATH"), "HOME="+a.dir)
	out, err := script.CombinedOutput()
	require.NoError(t, err, string(out))
}

// database is a PostgreSQL server as the service db makes one: with the password that the job keys drew.
func (a *arrangement) database(t *testing.T) {
	t.Helper()
	password, err := os.Open(filepath.Join(a.dir, "db-password", "password"))
	require.NoError(t, err)
	defer func() { _ = password.Close() }() // only read from
	_, port, err := net.SplitHostPort(a.address("db:5432"))
	require.NoError(t, err)
	user := *a.project.Services["db"].Environment["POSTGRES_USER"]
	server, err := postgrestest.Start(postgrestest.Options{
		Initdb:   []string{"--username=" + user, "--pwfile=/dev/stdin", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"},
		Password: password,
		Postgres: []string{"-p", port, "-c", "listen_addresses=127.0.0.1"},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the database said:\n%s", server.Log())
		}
		require.NoError(t, server.Stop())
	})
	// The password that clients find for the database opens the server, on which the image makes a database of its user's name.
	settings, err := pgx.ParseConfig(a.env("worker")["MK_DATABASE_URL"])
	require.NoError(t, err)
	database := settings.Database
	settings.Database = "postgres"
	connection, err := pgx.ConnectConfig(t.Context(), settings)
	require.NoError(t, err)
	defer func() { require.NoError(t, connection.Close(t.Context())) }()
	_, err = connection.Exec(t.Context(), "CREATE DATABASE "+database)
	require.NoError(t, err)
}

// startBrowser starts Chromium with the image's flags and the service's.
func (a *arrangement) startBrowser(t *testing.T) {
	t.Helper()
	binary, err := browser.FindChromium()
	require.NoError(t, err)
	s, _ := a.file.stage("browser")
	_, port, err := net.SplitHostPort(a.address("127.0.0.1:9222"))
	require.NoError(t, err)
	flags := strings.Join(s.one(t, "ENTRYPOINT")[1:], "\n")
	flags = strings.NewReplacer("9222", port, "/tmp/profile", t.TempDir()).Replace(flags)
	args := append(strings.Split(flags, "\n"), a.command("browser")...)
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // which the image's user does not need
	}
	a.browser = a.start(t, "browser", binary, args...)
	a.healthy(t, "browser")
}

// healthy waits until the service's own health check says so.
func (a *arrangement) healthy(t *testing.T, service string) {
	t.Helper()
	check := a.project.Services[service].HealthCheck.Test
	eventually(t, func() bool {
		var args []string
		for _, argument := range check[2:] {
			args = append(args, a.here(service, argument))
		}
		asked := exec.CommandContext(t.Context(), bin+check[1], args...)
		asked.Env = append(os.Environ(), a.env(service).Environ()...)
		return asked.Run() == nil
	}, service+" is well")
}

func (a *arrangement) startWorker(t *testing.T) *stack.Process {
	t.Helper()
	worker := a.start(t, "worker", bin+"worker")
	eventually(t, func() bool { return worker.Said("worker ready") }, "the worker")
	a.healthy(t, "worker")
	return worker
}

// door is what socat does in sandbox-door.
func (a *arrangement) door(t *testing.T, to string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	go func() {
		for {
			outer, err := listener.Accept()
			if err != nil {
				return
			}
			a.throughDoor.Add(1)
			go join(outer, to)
		}
	}()
	return listener.Addr().String()
}

// join lets two connections speak to each other until one ends.
func join(outer net.Conn, to string) {
	inner, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
	if err == nil {
		go func() {
			_, _ = io.Copy(inner, outer) // a connection ends as it likes
			_ = inner.Close()
		}()
		_, _ = io.Copy(outer, inner)
	}
	_ = outer.Close()
}

// catcher is a mail server that keeps whom mail was for.
type catcher struct {
	mu sync.Mutex
	to []string
}

func (c *catcher) serve(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{c}, nil }))
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return listener.Addr().String()
}

func (c *catcher) caught(to string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.to, to)
}

type session struct{ *catcher }

func (s session) Mail(string, *smtp.MailOptions) error { return nil }

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = append(s.to, to)
	return nil
}

func (s session) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func (s session) Reset() {}

func (s session) Logout() error { return nil }

func free(t *testing.T) string {
	t.Helper()
	address, err := stack.FreeAddress("")
	require.NoError(t, err)
	return address
}

// backend is a client with the settings of the service starter's neighbours: it seals to the published recipient.
func (a *arrangement) backend(t *testing.T) (*workflows.Client, client.Client) {
	t.Helper()
	settings, err := config.Load(a.env("portal"))
	require.NoError(t, err)
	recipient, err := settings.Recipient()
	require.NoError(t, err)
	temporal, converter, err := settings.TemporalClient(t.Context(), zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	return workflows.NewClient(temporal, recipient, converter), temporal
}

func TestTemporalSetup_RegistersWhatWeNeed(t *testing.T) {
	t.Parallel()
	a := arrange(t)
	a.temporalSetup(t)
	a.temporalSetup(t) // again changes nothing
	env := a.env("temporal-setup")
	c, err := client.DialContext(t.Context(), client.Options{HostPort: env["TEMPORAL_ADDRESS"], Namespace: env["TEMPORAL_NAMESPACE"]})
	require.NoError(t, err)
	defer c.Close()
	made, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "meterkey"})
	require.NoError(t, err)
	require.Equal(t, 30*24*time.Hour, made.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	known, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "meterkey"})
	require.NoError(t, err)
	for _, name := range workflows.SearchAttributes() {
		require.Contains(t, known.GetCustomAttributes(), name)
	}
}

// TestStack is the promise: a new worker finds the windows open, and a new browser costs a sign-in and nothing else.
func TestStack(t *testing.T) {
	t.Parallel()
	a := arrange(t)
	a.temporalSetup(t)
	a.run(t, "keys")
	a.database(t)
	a.start(t, "sandbox", bin+"sandbox", a.command("sandbox")...)
	a.healthy(t, "sandbox")
	a.startBrowser(t)
	old := a.startWorker(t)
	a.start(t, "portal", bin+"portal")
	a.healthy(t, "portal")

	backend, _ := a.backend(t)
	c := &customer{arrangement: a, backend: backend, id: "stack-1", user: "code.stack@example.com"}
	c.start(t)
	before := c.signIn(t)
	require.Positive(t, a.throughDoor.Load(), "the browser comes by the door")

	// What `docker compose up --detach worker` does, with less patience.
	grace, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorIs(t, old.Stop(grace), context.DeadlineExceeded, "it would wait for its windows")
	fresh := a.startWorker(t)
	require.True(t, fresh.Said(`"found_open":1`))
	after, err := c.backend.State(t.Context(), c.id)
	require.NoError(t, err)
	require.Equal(t, before.Challenge, after.Challenge, "the customer notices nothing")
	c.sendCode(t, after)
	require.Equal(t, map[string]int{"logins": 1, "codes_sent": 1, "codes_submitted": 1}, c.ledger(t))

	again := &customer{arrangement: a, backend: backend, id: "stack-2", user: "code.again@example.com"}
	again.start(t)
	again.signIn(t)
	require.NoError(t, a.browser.Kill())
	a.startBrowser(t)
	lost := again.await(t, func(s workflows.State) bool { return s.Status == workflows.AwaitingLogin })
	require.Equal(t, workflows.WindowLost, lost.Reason)
	again.sendCode(t, again.signIn(t))
	eventually(t, func() bool { return a.mail.caught("customer@example.com") }, "a notice")
}

// customer plays one whose data request a backend has sent.
type customer struct {
	*arrangement
	backend  *workflows.Client
	id, user string
}

func (c *customer) start(t *testing.T) {
	t.Helper()
	require.NoError(t, c.backend.Start(t.Context(), workflows.Request{RequestID: c.id, Requester: "acme-solar", RequesterName: "Acme Solar",
		CustomerEmail: "customer@example.com", Utility: "CONED"}))
}

func (c *customer) await(t *testing.T, done func(workflows.State) bool) workflows.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	state, err := c.backend.Wait(ctx, c.id, func(s workflows.State) bool { return done(s) || s.Status.Terminal() })
	require.NoError(t, err)
	require.True(t, done(state), "it stands at %s (%s)", state.Status, state.Reason)
	return state
}

func (c *customer) signIn(t *testing.T) workflows.State {
	t.Helper()
	require.NoError(t, c.backend.SubmitLogin(t.Context(), c.id, workflows.Credentials{Username: c.user, Password: stack.PracticePassword}))
	return c.await(t, func(s workflows.State) bool { return s.Status == workflows.AwaitingCode })
}

func (c *customer) sendCode(t *testing.T, s workflows.State) {
	t.Helper()
	var inbox []stack.Message
	eventually(t, func() bool { c.get(t, "/inbox/CONED/", &inbox); return len(inbox) > 0 }, "a code")
	require.NoError(t, c.backend.SubmitCode(t.Context(), c.id, s.Challenge.ID, inbox[len(inbox)-1].Code))
	connected := c.await(t, func(s workflows.State) bool { return s.Status == workflows.Connected })
	require.NotEmpty(t, connected.Meters)
}

// ledger is what the practice site counted.
func (c *customer) ledger(t *testing.T) map[string]int {
	t.Helper()
	var counted map[string]int
	c.get(t, "/ledger/CONED/", &counted)
	return map[string]int{"logins": counted["logins"], "codes_sent": counted["codes_sent"], "codes_submitted": counted["codes_submitted"]}
}

func (c *customer) get(t *testing.T, folder string, into any) {
	t.Helper()
	address := "http://" + c.address("127.0.0.1:8420") + path.Join(folder, c.user)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	require.Equal(t, http.StatusOK, response.StatusCode, address)
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
}
