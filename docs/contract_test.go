// Package docs_test keeps the documentation true to the code.
package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func contract(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("contract.md")
	require.NoError(t, err)
	return string(text)
}

// section is the text under a heading, up to the next heading of that level.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, after, found := strings.Cut(text, "\n## "+heading+"\n")
	require.True(t, found, "no section %q", heading)
	body, _, _ := strings.Cut(after, "\n## ")
	return body
}

// rows are the rows of the tables in a text, headings and rules left out.
func rows(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func TestContractHasEveryStatus(t *testing.T) {
	t.Parallel()
	documented := rows(section(t, contract(t), "Statuses"))
	require.Len(t, documented, len(meterkey.Statuses()))
	for i, status := range meterkey.Statuses() {
		require.Contains(t, documented[i], fmt.Sprintf("| `%s` | %s | ", status, status.WaitingOn()))
		require.Equal(t, status.Terminal(), strings.HasSuffix(documented[i], "The end |"), status)
	}
}

func TestContractHasEveryReason(t *testing.T) {
	t.Parallel()
	var want []string
	for _, r := range meterkey.Reasons() {
		want = append(want, fmt.Sprintf("| `%s` | `%s` | %s | %s |", r.Reason, r.Leads, r.Acts, r.Next))
	}
	require.Equal(t, want, rows(section(t, contract(t), "Reasons")))
}

func TestContractHasEveryName(t *testing.T) {
	t.Parallel()
	names := section(t, contract(t), "Names")
	for _, name := range []string{
		meterkey.WorkflowType, meterkey.WorkflowID(""), meterkey.TaskQueue, meterkey.QueryStatus,
		meterkey.SignalSubmitLogin, meterkey.SignalSubmitCode, meterkey.SignalResendCode, meterkey.SignalLeave,
		meterkey.SignalResend, meterkey.SignalDecline, meterkey.UpdateSubmitLogin, meterkey.UpdateSubmitCode, meterkey.UpdateChoose,
	} {
		require.Contains(t, names, "`"+name+"`")
	}
	for _, kind := range []string{"Updates", "Signals"} {
		text := section(t, contract(t), kind)
		for _, name := range regexp.MustCompile("`([a-z]+(-[a-z]+)?)`").FindAllStringSubmatch(lineOf(names, "| "+strings.ToLower(kind)+" |"), -1) {
			require.Contains(t, text, "| `"+name[1]+"` |")
		}
	}
	require.Contains(t, section(t, contract(t), "Updates"), "`"+meterkey.ErrTypeNotAwaited+"`")
}

func lineOf(text, prefix string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

// The documents in the contract are read as strictly as can be, and must show every field there is.
func TestContractShowsWholeDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		heading string
		into    any
	}{
		{"Starting", &meterkey.Request{}},
		{"Asking where it stands", &meterkey.State{}},
		{"Meters", &meterkey.Meter{}},
	} {
		document := jsonBlock(t, section(t, contract(t), c.heading))
		decoder := json.NewDecoder(strings.NewReader(document))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(c.into), c.heading)
		for _, name := range fieldNames(reflect.TypeOf(c.into).Elem()) {
			require.Contains(t, document, `"`+name+`":`, c.heading)
		}
	}
}

func jsonBlock(t *testing.T, text string) string {
	t.Helper()
	_, after, found := strings.Cut(text, "```json\n")
	require.True(t, found)
	block, _, _ := strings.Cut(after, "```")
	return block
}

// fieldNames are the JSON names of a document's fields, without what runs carry over to their next.
func fieldNames(document reflect.Type) []string {
	var names []string
	for field := range document.NumField() {
		name, _, _ := strings.Cut(document.Field(field).Tag.Get("json"), ",")
		if name != "continued" {
			names = append(names, name)
		}
	}
	return names
}

func TestContractExplainsEveryFieldOfTheStatus(t *testing.T) {
	t.Parallel()
	explained := section(t, contract(t), "Asking where it stands")
	for _, document := range []any{meterkey.State{}, meterkey.Challenge{}} {
		for _, name := range fieldNames(reflect.TypeOf(document)) {
			if name != "request_id" && name != "requester" && name != "utility" {
				require.Regexp(t, "(?m)^\\| (`[a-z_]+`, )?`"+name+"`", explained)
			}
		}
	}
}

// The example of an answer holds what a state really holds.
func TestContractExampleIsConsistent(t *testing.T) {
	t.Parallel()
	var state meterkey.State
	require.NoError(t, json.Unmarshal([]byte(jsonBlock(t, section(t, contract(t), "Asking where it stands"))), &state))
	require.True(t, state.Status.Valid())
	require.Equal(t, state.Status.WaitingOn(), state.WaitingOn)
	require.Equal(t, state.Timeline[len(state.Timeline)-1].Status, state.Status)
	require.Equal(t, state.Since, state.Timeline[len(state.Timeline)-1].At)
	require.Equal(t, *state.Until, state.Challenge.ExpiresAt)
	require.NoError(t, meterkey.Request{RequestID: state.RequestID, Requester: state.Requester, Utility: state.Utility}.Validate())
}
