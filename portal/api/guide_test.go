package api

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// TestGuide_NamesEverything holds docs/api.md to the API: every address, every kind of error, every type of note.
func TestGuide_NamesEverything(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	guide := strings.Join(strings.Fields(string(text)), " ")
	p := newParty(t)
	for path, methods := range member(t, p.described.document["paths"]) {
		require.True(t, strings.Contains(guide, path), "%s is missing", path)
		for method, op := range member(t, methods) {
			for status := range member(t, member(t, op)["responses"]) {
				number, err := strconv.Atoi(status)
				require.NoError(t, err)
				row := "| " + status + " | `" + code(number) + "` |"
				require.True(t, number == http.StatusOK || strings.Contains(guide, row), "%s %s answers %s", method, path, status)
			}
		}
	}
	for _, note := range []string{store.NoteAccessValid, store.NoteAccessInvalid, store.NoteAccessLocked, store.NoteAccessUnsupported,
		store.NoteAccessCodeNeeded, store.NoteLiveInteraction, store.NoteIncompleteRegistration, store.NoteRetrying, store.NoteMetersFull,
		store.NoteMetersEmpty, store.NoteAccessDeclined, store.NoteAccessPasswordExpired, store.NoteAccessAttemptsUsed,
		store.NoteAccessCaptcha, store.NoteAccessInterrupted, store.NoteAccessUnreadable, store.NoteMFATimeout, store.NoteMFAInvalid,
		store.NoteMFAAbandoned, store.NoteUtilityUnavailable, store.NoteUtilityChanged, store.NoteUtilityUnknown,
		store.NoteRequestCanceled, store.NoteRequestExpired} {
		require.True(t, strings.Contains(guide, "`"+note+"`"), "%s is missing", note)
	}
}
