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
	var missing []string
	needs := func(words string) {
		if !strings.Contains(guide, words) {
			missing = append(missing, words)
		}
	}
	for path, methods := range member(t, p.described.document["paths"]) {
		needs(path)
		for _, op := range member(t, methods) {
			for status := range member(t, member(t, op)["responses"]) {
				number, err := strconv.Atoi(status)
				require.NoError(t, err)
				if number != http.StatusOK {
					needs("| " + status + " | `" + code(number) + "` |")
				}
			}
		}
	}
	for _, note := range []string{store.NoteAccessValid, store.NoteAccessInvalid, store.NoteAccessLocked, store.NoteAccessUnsupported,
		store.NoteAccessCodeNeeded, store.NoteLiveInteraction, store.NoteIncompleteRegistration, store.NoteRetrying, store.NoteMetersFull,
		store.NoteMetersEmpty, store.NoteAccessDeclined, store.NoteAccessPasswordExpired, store.NoteAccessAttemptsUsed,
		store.NoteAccessCaptcha, store.NoteAccessInterrupted, store.NoteAccessUnreadable, store.NoteMFATimeout, store.NoteMFAInvalid,
		store.NoteMFAAbandoned, store.NoteUtilityUnavailable, store.NoteUtilityChanged, store.NoteUtilityUnknown,
		store.NoteRequestCanceled, store.NoteRequestExpired, store.NoteRequestTerminated, store.NoteServiceMisconfigured} {
		needs("`" + note + "`")
	}
	require.Empty(t, missing)
}
