package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

func TestUtilitiesAreTheCatalogs(t *testing.T) {
	t.Parallel()
	known, err := utilities.Load("")
	require.NoError(t, err)
	var listed []utilityFacts
	require.NoError(t, json.Unmarshal([]byte(done(t, "utilities -o json")), &listed))
	require.Len(t, listed, len(known.All()))
	rows := strings.Split(strings.TrimSpace(done(t, "utilities")), "\n")[1:]
	require.Len(t, rows, len(listed))
	for i, u := range known.All() {
		require.Equal(t, factsOf(u), listed[i])
		require.Regexp(t, "^"+u.ID+" +"+u.Name+" +"+string(u.MFA.Policy)+" .* "+fmt.Sprint(len(u.Unverified))+"$", rows[i])

		var out bytes.Buffer
		(&app{out: newPrinter(&out, true)}).showUtility(listed[i])
		text := out.String()
		for _, fact := range []string{u.Name, u.Website, string(u.MFA.Policy), u.MFA.Confirmed, u.MFA.FAQ, u.WindowLifetime.String(), u.File} {
			require.Contains(t, text, fact, u.ID)
		}
		for _, field := range u.Unverified {
			require.Contains(t, text, "\n  "+field+"\n", u.ID)
		}
		require.Regexp(t, `(?m)^unverified +`+count(len(u.Unverified), "field")+`$`, text)
		for _, name := range append([]string{u.Name}, u.Aliases...) {
			found, err := known.Find(name)
			require.NoError(t, err)
			require.Equal(t, u.ID, found.ID, name)
		}
	}
	var one utilityFacts
	require.NoError(t, json.Unmarshal([]byte(done(t, "utilities coned -o json")), &one))
	require.Contains(t, listed, one)
}

func TestUtilityNamesAreForPeople(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a utility of the customer's choice", utilityName(""))
	require.Equal(t, "Demonstration Power and Light (DEMO)", utilityName("DEMO"))
	require.Equal(t, "ELSEWHERE", utilityName("ELSEWHERE"), "one that this machine does not know")
	id, err := utilityID("")
	require.NoError(t, err)
	require.Empty(t, id, "none stands for none")
}

func TestCheckTakesEveryFileThereIs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "utilities", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text := done(t, "check "+file)
		require.Regexp(t, `^\.\./utilities/[a-z]+\.yaml: ok: [A-Z]+, ([0-9]+|no|1) fields? unverified\n$`, text)
		id, _, _ := strings.Cut(strings.TrimPrefix(text, file+": ok: "), ",")
		require.Equal(t, filepath.Base(file), strings.ToLower(id)+".yaml")
	}
}

func TestCheckTellsEachMistakeWithItsLine(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(filepath.Join("..", "utilities", "demo.yaml"))
	require.NoError(t, err)
	for _, c := range []struct {
		name, from, to string
		says           string
	}{
		{"a field that there is not", "name: ", "title: ", `(?m)^\S+/demo\.yaml:\d+: .*title`},
		{"a policy that there is not", "policy: interactive", "policy: perhaps", `(?m)^\S+/demo\.yaml:\d+: .*mfa\.policy`},
		{"no YAML", "id: DEMO", "id: [DEMO", `(?m)^\S+/demo\.yaml:\d+`},
	} {
		text := strings.Replace(string(good), c.from, c.to, 1)
		require.NotEqual(t, string(good), text, c.name)
		file := filepath.Join(t.TempDir(), "demo.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		s := runs(t, "", "check "+file)
		require.Equal(t, exitUsage, s.code, c.name)
		require.Empty(t, s.out, c.name)
		require.Regexp(t, c.says, s.side, c.name)
		require.NotContains(t, s.side, "starter:", "the lines stand by themselves, for editors to jump to")
	}
}
