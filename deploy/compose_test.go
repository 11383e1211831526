package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"
	"github.com/mattn/go-shellwords"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

// jobs run once and end; doors and the pod have nothing inside that could ask how they are.
var (
	jobs      = []string{"keys", "temporal-schema", "temporal-setup", "starter"}
	unchecked = []string{"pod", "sandbox-door", "sandbox-portal"}
)

// reviewed are the images that we do not build, with the variables that each is known to read and its user.
var reviewed = map[string]struct {
	user string
	env  []string
}{
	// https://hub.docker.com/_/postgres: "Environment Variables", "Docker Secrets"; 999 is its user postgres.
	"postgres:17.10-bookworm": {"999:999", []string{"POSTGRES_USER", "POSTGRES_PASSWORD_FILE"}},
	// https://github.com/temporalio/temporal: common/config/config_template_embedded.yaml, docker/scripts/sh/entrypoint.sh,
	// docker/targets/server.Dockerfile.
	"temporalio/server:1.31.0": {"1000:1000", []string{"DB", "DB_PORT", "POSTGRES_SEEDS", "POSTGRES_USER", "NUM_HISTORY_SHARDS", "BIND_ON_IP",
		"DYNAMIC_CONFIG_FILE_PATH", "LOG_LEVEL"}},
	// The same, docker/targets/admin-tools.Dockerfile and tools/sql/main.go; the last three are our scripts' own.
	"temporalio/admin-tools:1.31.0": {"1000:1000", []string{"SQL_PLUGIN", "SQL_HOST", "SQL_PORT", "SQL_USER", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE",
		"SQL_PASSWORD_FILE", "SCHEMA", "RETENTION"}},
	// https://github.com/temporalio/ui: server/config/docker.yaml, server/Dockerfile.
	"temporalio/ui:2.49.1": {"1000:1000", []string{"TEMPORAL_ADDRESS", "TEMPORAL_DEFAULT_NAMESPACE", "TEMPORAL_NOTIFY_ON_NEW_VERSION", "TEMPORAL_CORS_ORIGINS"}},
	// https://github.com/kubernetes/kubernetes: build/pause.
	"registry.k8s.io/pause:3.10.2": {"65535:65535", nil},
	// http://www.dest-unreach.org/socat/
	"alpine/socat:1.8.0.3": {"65534:65534", nil},
	// https://mailpit.axllent.org/docs/configuration/runtime-options/
	"axllent/mailpit:v1.31.1": {"65534:65534", []string{"MP_SMTP_DISABLE_RDNS"}},
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	always := []string{"browser", "db", "keys", "pod", "portal", "temporal", "temporal-db", "temporal-schema", "temporal-setup", "temporal-ui", "worker"}
	practice := append([]string{"mail", "sandbox", "sandbox-door", "sandbox-portal"}, always...)
	slices.Sort(practice)
	require.Equal(t, always, load(t, nil).ServiceNames())
	require.Equal(t, practice, load(t, nil, "practice").ServiceNames())
	require.Equal(t, practice, practising(t).ServiceNames(), "the file of settings names the profile")
	require.Len(t, whole(t).Services, len(practice)+1, "and there is the starter")
}

func TestContained(t *testing.T) {
	t.Parallel()
	for name, s := range whole(t).Services {
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Empty(t, s.CapAdd, name)
		require.False(t, s.Privileged, name)
		require.Contains(t, s.SecurityOpt, "no-new-privileges:true", name)
		require.Equal(t, name != "temporal-ui", s.ReadOnly, name)
		require.NotNil(t, s.Logging, name)
		restart := types.RestartPolicyUnlessStopped
		if slices.Contains(jobs, name) {
			restart = types.RestartPolicyNo
		} else {
			require.NotZero(t, s.Deploy.Resources.Limits.MemoryBytes, name)
			require.NotZero(t, s.Deploy.Resources.Limits.Pids, name)
		}
		require.Equal(t, restart, s.Restart, name)
	}
}

func TestImagesOfOthers_ArePinnedAndReviewed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for name, s := range whole(t).Services {
		if s.Build != nil {
			continue
		}
		require.Regexp(t, pinned, s.Image, name)
		require.Contains(t, reviewed, s.Image, name)
		require.Equal(t, reviewed[s.Image].user, s.User, name)
		for variable := range s.Environment {
			require.Contains(t, reviewed[s.Image].env, variable, name)
		}
		used[s.Image] = true
	}
	require.Len(t, used, len(reviewed), "nothing is reviewed that is not used")
}

// TestOurs_AreBuiltAndUnderstood asks our programs themselves whether they know their flags and commands.
func TestOurs_AreBuiltAndUnderstood(t *testing.T) {
	t.Parallel()
	file := theDockerfile(t)
	for name, s := range whole(t).Services {
		if s.Build == nil {
			continue
		}
		made, known := file.stage(s.Build.Target)
		require.True(t, known, "%s is built from stage %q", name, s.Build.Target)
		require.Equal(t, "meterkey/"+s.Build.Target, s.Image)
		require.Empty(t, s.Entrypoint, "%s: what runs is said in the Dockerfile", name)
		require.Empty(t, s.User, "%s: the user too", name)
		if name == "browser" {
			continue // TestStack starts it
		}
		program := bin + path.Base(made.one(t, "ENTRYPOINT")[0])
		out, err := exec.CommandContext(t.Context(), program, append(slices.Clone(s.Command), "--help")...).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		for _, argument := range s.Command {
			flag, _, _ := strings.Cut(argument, "=")
			require.Contains(t, string(out), flag+"=", name)
		}
	}
}

// TestSettings_AreOnesThatOurProgramsRead in both ways in which the file is started.
func TestSettings_AreOnesThatOurProgramsRead(t *testing.T) {
	t.Parallel()
	for _, project := range []*types.Project{load(t, nil, "tools"), whole(t)} {
		for name, s := range project.Services {
			if s.Build == nil {
				continue
			}
			env := environmentOf(s)
			settings, err := config.Load(env)
			require.NoError(t, err, name)
			require.Empty(t, settings.Unknown, name)
			profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{EnvLookup: env, DisableFile: true})
			require.NoError(t, err, name)
			require.Equal(t, env["TEMPORAL_ADDRESS"], profile.Address, name)
			require.Equal(t, env["TEMPORAL_NAMESPACE"], profile.Namespace, name)
			for variable := range env {
				require.Regexp(t, `^(MK_|TEMPORAL_(ADDRESS|NAMESPACE)$)`, variable, name)
			}
		}
	}
}

// TestPaths_AreMounted: whatever a setting, a flag or a script names lies in a volume, a file of the repository or a secret.
func TestPaths_AreMounted(t *testing.T) {
	t.Parallel()
	inPath := regexp.MustCompile(`(?:^|[= (?])(/(?:identity|recipient|keys|password|[a-z-]+-password|practice|utilities|run/secrets|var/lib/meterkey|schema\.sh|setup\.sh)(?:/[\w./-]*)?)`)
	for name, s := range whole(t).Services {
		var says []string
		for _, value := range environmentOf(s) {
			says = append(says, strings.ReplaceAll(value, "passfile=", "passfile= "))
		}
		says = append(append(says, s.Command...), s.Entrypoint...)
		for _, text := range says {
			for _, found := range inPath.FindAllStringSubmatch(text, -1) {
				require.True(t, mounted(s, found[1]), "%s names %s, where nothing is mounted", name, found[1])
			}
		}
	}
}

func mounted(s types.ServiceConfig, file string) bool {
	for _, secret := range s.Secrets {
		if file == "/run/secrets/"+secret.Source {
			return true
		}
	}
	if s.Name == "portal" || s.Name == "starter" {
		if file == "/var/lib/meterkey" {
			return true // nothing is kept there: all that would be has a place of its own
		}
	}
	return slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
		return file == v.Target || strings.HasPrefix(file, v.Target+"/")
	})
}

func TestFilesOfTheRepository_AreThere(t *testing.T) {
	t.Parallel()
	for name, s := range whole(t).Services {
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				_, err := os.Stat(v.Source)
				require.NoError(t, err, name)
				require.True(t, v.ReadOnly, name)
			}
		}
		for _, option := range s.SecurityOpt {
			if profile, is := strings.CutPrefix(option, "seccomp="); is {
				require.FileExists(t, filepath.Join(root, profile), name)
			}
		}
	}
}

// TestSecrets_GoWhereTheyAreNeeded and nowhere else; only who makes something may write it.
func TestSecrets_GoWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"db":                   {"db rw"},
		"db-password":          {"db ro", "keys rw", "portal ro", "worker ro"},
		"identity":             {"keys rw", "worker rw"}, // a worker publishes the recipient beside it
		"keys":                 {"keys rw", "portal ro", "starter ro", "worker ro"},
		"practice":             {"portal ro", "sandbox rw", "starter ro", "worker ro"},
		"recipient":            {"keys rw", "portal ro", "starter ro", "worker ro"},
		"temporal-db":          {"temporal-db rw"},
		"temporal-db-password": {"keys rw", "temporal ro", "temporal-db ro", "temporal-schema ro"},
		"worker":               {"worker rw"},
	}
	got := map[string][]string{}
	project := whole(t)
	for _, name := range project.ServiceNames() {
		for _, v := range project.Services[name].Volumes {
			if v.Type == types.VolumeTypeVolume {
				got[v.Source] = append(got[v.Source], name+map[bool]string{true: " ro", false: " rw"}[v.ReadOnly])
			}
		}
	}
	require.Equal(t, want, got)
	require.Len(t, project.Volumes, len(want))
}

// TestVolumes_BelongToTheirWriters: the images have the folders on which our programs' volumes are mounted, owned by their user.
func TestVolumes_BelongToTheirWriters(t *testing.T) {
	t.Parallel()
	made, _ := theDockerfile(t).stage("build")
	install := made.all("RUN")[2].args[0]
	require.Contains(t, install, "-o 10001 -g 10001")
	folders := strings.Fields(install)
	for name, s := range whole(t).Services {
		for _, v := range s.Volumes {
			if s.Build != nil && v.Type == types.VolumeTypeVolume && !v.ReadOnly && v.Target != "/identity" {
				require.Contains(t, folders, "/folders/"+name+v.Target)
			}
		}
	}
	require.Contains(t, folders, "/folders/keys/identity", "which is made before a worker starts")
}

func TestPorts_AreForThisMachineAlone(t *testing.T) {
	t.Parallel()
	opened := map[string]string{}
	for name, s := range whole(t).Services {
		for _, port := range s.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, name)
			opened["127.0.0.1:"+port.Published] = name
		}
	}
	require.Equal(t, map[string]string{
		"127.0.0.1:8400": "portal", "127.0.0.1:8233": "temporal-ui", "127.0.0.1:8420": "sandbox", "127.0.0.1:8025": "mail",
	}, opened)
	docs := read(t, "docs/compose.md")
	for address := range opened {
		require.Contains(t, docs, address)
	}
}

// TestPorts_AreListenedOn compares what is published, asked and connected to with what the programs are told to listen on.
func TestPorts_AreListenedOn(t *testing.T) {
	t.Parallel()
	services := practising(t).Services
	require.Equal(t, "0.0.0.0:"+target(services["portal"]), *services["portal"].Environment["MK_PORTAL_LISTEN"])
	require.Equal(t, []string{"TCP-LISTEN:" + target(services["sandbox"]) + ",fork,reuseaddr", "TCP:127.0.0.1:8420"}, []string(services["sandbox-door"].Command))
	require.Equal(t, "--listen=127.0.0.1:8420", services["sandbox"].Command[0])
	require.Equal(t, []string{"TCP-LISTEN:8420,bind=127.0.0.1,fork,reuseaddr", "TCP:sandbox:8421"}, []string(services["sandbox-portal"].Command))
	require.Equal(t, "http://127.0.0.1:8420", *services["portal"].Environment["MK_PRACTICE_URL"])
	require.Equal(t, "/practice/origins.yaml", *services["worker"].Environment["MK_ORIGINS"])
	require.Equal(t, "--origins-file=/practice/origins.yaml", services["sandbox"].Command[1])
	require.Equal(t, "http://127.0.0.1:9222", *services["worker"].Environment["MK_CDP_URL"])
}

func target(s types.ServiceConfig) string { return strconv.Itoa(int(s.Ports[0].Target)) }

// TestDevTools_StayInThePod: only the browser and its worker are on the interface on which Chromium listens, and nobody
// publishes that port.
func TestDevTools_StayInThePod(t *testing.T) {
	t.Parallel()
	var inPod []string
	for name, s := range whole(t).Services {
		if s.NetworkMode == "service:pod" {
			inPod = append(inPod, name)
		}
		if strings.HasPrefix(s.NetworkMode, "service:") {
			owner := strings.TrimPrefix(s.NetworkMode, "service:")
			require.Empty(t, s.Networks, name)
			require.Empty(t, s.Ports, name)
			require.True(t, s.DependsOn[owner].Restart, "%s has no network left when %s is made anew", name, owner)
		}
	}
	require.ElementsMatch(t, []string{"browser", "worker"}, inPod)
	require.Empty(t, whole(t).Services["pod"].Ports)
}

// TestWorkerAndBrowser_AreReplacedApart: neither's image takes the other along.
func TestWorkerAndBrowser_AreReplacedApart(t *testing.T) {
	t.Parallel()
	services := whole(t).Services
	require.NotContains(t, services["browser"].DependsOn, "worker")
	require.False(t, services["worker"].DependsOn["browser"].Restart)
}

func TestNetworks_DatabasesHaveNoWayOut(t *testing.T) {
	t.Parallel()
	project := whole(t)
	require.True(t, bool(project.Networks["back"].Internal))
	for _, name := range []string{"db", "temporal-db", "temporal", "temporal-schema", "temporal-setup", "starter"} {
		s := project.Services[name]
		require.Equal(t, []string{"back"}, s.NetworksByPriority(), name)
	}
	require.Equal(t, "none", project.Services["keys"].NetworkMode)
}

func TestDependencies_CanBeMet(t *testing.T) {
	t.Parallel()
	for _, project := range []*types.Project{load(t, nil), whole(t)} {
		for name, s := range project.Services {
			for other, dependency := range s.DependsOn {
				on, there := project.Services[other]
				require.True(t, there || !dependency.Required, "%s needs %s", name, other)
				switch dependency.Condition {
				case types.ServiceConditionHealthy:
					require.True(t, !there || on.HealthCheck != nil, "%s waits for the health of %s", name, other)
				case types.ServiceConditionCompletedSuccessfully:
					require.Contains(t, jobs, other, "%s waits for the end of %s", name, other)
				case types.ServiceConditionStarted:
					require.Contains(t, []string{"pod", "portal"}, other)
				default:
					require.Fail(t, dependency.Condition)
				}
			}
		}
	}
	require.Contains(t, practising(t).Services["worker"].DependsOn, "sandbox", "which writes the origins that the worker reads")
}

// TestJobs_EndBeforeSomethingThatStays: `up --wait` takes the end of any other job for a failure.
func TestJobs_EndBeforeSomethingThatStays(t *testing.T) {
	t.Parallel()
	project := practising(t)
	for _, job := range jobs {
		awaited := false
		for name, s := range project.Services {
			awaited = awaited || !slices.Contains(jobs, name) && s.DependsOn[job].Condition == types.ServiceConditionCompletedSuccessfully
		}
		_, started := project.Services[job]
		require.Equal(t, started, awaited, job)
	}
}

func TestHealth_IsAskedWithWhatIsInTheImage(t *testing.T) {
	t.Parallel()
	file := theDockerfile(t)
	for name, s := range whole(t).Services {
		if slices.Contains(jobs, name) || slices.Contains(unchecked, name) {
			require.Nil(t, s.HealthCheck, name)
			continue
		}
		require.NotNil(t, s.HealthCheck, name)
		require.NotNil(t, s.HealthCheck.Timeout, name)
		test := s.HealthCheck.Test
		require.Equal(t, "CMD", test[0], "%s: there is no shell in most images", name)
		if s.Build == nil {
			continue
		}
		made, _ := file.stage(s.Build.Target)
		require.Equal(t, "/out/"+test[1], made.copies(t)["/usr/local/bin/"+test[1]], name)
		out, err := exec.CommandContext(t.Context(), bin+test[1], "--help").CombinedOutput()
		if test[1] == "portal" {
			require.NoError(t, err)
			require.Contains(t, string(out), "\n  "+test[2]+"\n")
			continue
		}
		require.Regexp(t, `^http://127\.0\.0\.1:(9222/json/version|8420/healthz)$`, test[2], name)
	}
}

// TestVariables_AreDocumented: what the file takes from outside stands in its documentation, and what the settings for
// practising name is taken.
func TestVariables_AreDocumented(t *testing.T) {
	t.Parallel()
	var model map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &model))
	variables := template.ExtractVariables(model, template.DefaultPattern)
	require.NotEmpty(t, variables)
	docs := read(t, "docs/compose.md")
	for name := range variables {
		require.Contains(t, docs, "| `"+name+"` |")
	}
	practice, err := dotenv.Read(practiceEnv)
	require.NoError(t, err)
	delete(practice, "COMPOSE_PROFILES")
	for name := range practice {
		require.Contains(t, variables, name)
	}
}

// TestDocs_PortalCommandsExist: those that a newcomer is told to type.
func TestDocs_PortalCommandsExist(t *testing.T) {
	t.Parallel()
	told := regexp.MustCompile(`(?m)^ +dc exec portal portal (.+)$`).FindAllStringSubmatch(read(t, "docs/compose.md"), -1)
	require.Len(t, told, 3)
	for _, line := range told {
		args, err := shellwords.Parse(line[1])
		require.NoError(t, err)
		out, err := exec.CommandContext(t.Context(), bin+"portal", append(args, "--help")...).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "Usage: portal "+args[0]+" "+args[1]+" ")
		for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(line[1], -1) {
			require.Contains(t, string(out), flag+"=")
		}
	}
}

// TestTemporal_IsTunedAsTheDevelopmentServer: what is measured there holds here.
func TestTemporal_IsTunedAsTheDevelopmentServer(t *testing.T) {
	t.Parallel()
	var file map[string][]struct{ Value any }
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/temporal/dynamicconfig.yaml")), &file))
	var settings []string
	for key, values := range file {
		require.Len(t, values, 1, key)
		value, err := json.Marshal(values[0].Value)
		require.NoError(t, err)
		settings = append(settings, key+"="+string(value))
	}
	require.ElementsMatch(t, devenv.DynamicConfig(), settings)
	server := whole(t).Services["temporal"]
	require.Equal(t, *server.Environment["DYNAMIC_CONFIG_FILE_PATH"], server.Volumes[0].Target)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(text)
}
