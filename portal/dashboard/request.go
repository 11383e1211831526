package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
	"github.com/meterkey/meterkey/sdk"
)

// metersShown is how many meters the page shows; the file has all.
const metersShown = 200

// requestPage is what a request's page shows.
type requestPage struct {
	Row           row
	Live          string
	Next          string // what happens next
	Challenge     *meterkey.Challenge
	CodeLabel     string
	Digits        bool // the answer is a number
	Actions       []action
	Timeline      []step
	Expires       string
	Authorization string
	Revoked       bool
	Link          string // the customer's
	Meters        []store.Meter
	MeterCount    string
	MoreMeters    string
}

// step is one entry of a request's course.
type step struct {
	badge
	Why    string
	At     time.Time
	Length string
}

func (h *dashboard) show(w http.ResponseWriter, r *http.Request, p person) error {
	shown, err := h.requestPage(r, p)
	if err != nil {
		return err
	}
	if wantsFragment(r, "request") {
		return h.fragment(w, "request", shown)
	}
	return h.write(w, r, &p, page{name: "request", title: shown.Row.Title, refresh: 30, body: shown})
}

func (h *dashboard) requestPage(r *http.Request, p person) (requestPage, error) {
	request, err := h.Store.Request(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return requestPage{}, err
	}
	shown := requestPage{Row: h.row(request), Live: listPath + "/" + request.UID + "/live?since=" + stamp(request.Updated),
		Timeline: steps(request.Timeline, time.Now()), Expires: scopeWords(request.Scope),
		Authorization: request.AuthorizationUID}
	shown.Next = nextWords(shown.Row.Status, request.Reason)
	if asked := request.Challenge; asked != nil && asked.ExpiresAt.After(time.Now()) {
		shown.Challenge, shown.CodeLabel, shown.Digits = asked, codeLabel(asked), asked.Kind == meterkey.NumberCode && asked.Digits > 0
	}
	if isStarted(request) && !request.Status.Terminal() {
		shown.Link = h.PortalURL + "/r/" + h.Key.LinkToken(request.UID, request.LinkedAt)
	}
	if err := h.addMeters(r, p, &shown); err != nil {
		return shown, err
	}
	shown.Actions = actionsFor(request, shown.Revoked)
	return shown, nil
}

// addMeters adds what the customer's authorization led to.
func (h *dashboard) addMeters(r *http.Request, p person, shown *requestPage) error {
	if shown.Authorization == "" {
		return nil
	}
	authorization, err := h.Store.Authorization(r.Context(), p.requester.UID, shown.Authorization)
	if err != nil {
		return err
	}
	if shown.Revoked = authorization.Revoked != nil; shown.Revoked {
		shown.Next = "The permission is revoked and its meters are deleted. Resend the request to ask the customer anew."
		return nil
	}
	listed, err := h.Store.AllMeters(r.Context(), p.requester.UID, shown.Authorization)
	if err != nil {
		return err
	}
	shown.Meters, shown.MeterCount = listed, upper(count(len(listed), "meter"))
	if len(listed) > metersShown {
		shown.Meters = listed[:metersShown]
		shown.MoreMeters = fmt.Sprintf("The first %d are shown. The CSV file has all %s.", metersShown, thousands(len(listed)))
	}
	return nil
}

func codeLabel(c *meterkey.Challenge) string {
	switch {
	case c.Kind == meterkey.SecurityAnswer:
		return "The answer that the customer tells you"
	case c.Digits > 0:
		return fmt.Sprintf("The code of %d digits that the customer reads out", c.Digits)
	}
	return "The code that the customer reads out"
}

// steps is the course of a request: each status with how long it lasted, the present one so far.
func steps(timeline []meterkey.Moment, now time.Time) []step {
	shown := make([]step, 0, len(timeline))
	for i, moment := range timeline {
		words := wordsFor(moment.Status)
		s := step{badge: badge{words.name, words.tone}, Why: reasonWords(moment.Reason), At: moment.At}
		switch {
		case i+1 < len(timeline):
			s.Length = lengthWords(timeline[i+1].At.Sub(moment.At))
		case moment.Status.Terminal():
			s.Length = "the end"
		default:
			s.Length = lengthWords(now.Sub(moment.At)) + " so far"
		}
		shown = append(shown, s)
	}
	return shown
}

func (h *dashboard) followRequest(w http.ResponseWriter, r *http.Request, p person) error {
	drawn := readStamp(r)
	if _, err := h.Store.Request(r.Context(), p.requester.UID, r.PathValue("uid")); err != nil {
		return err
	}
	return h.follow(w, r, p, func(time.Time) (bool, error) {
		request, err := h.Store.Request(r.Context(), p.requester.UID, r.PathValue("uid"))
		tell := request.Updated.After(drawn)
		drawn = request.Updated
		return tell, err
	})
}

// passCode passes on what a customer reads out on the telephone.
func (h *dashboard) passCode(w http.ResponseWriter, r *http.Request, p person) error {
	request, err := h.Store.Request(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	challenge, code, said := r.PostFormValue("challenge"), strings.TrimSpace(r.PostFormValue("code")), "late"
	if request.Challenge != nil && request.Challenge.ID == challenge && code != "" {
		ctx, cancel := context.WithTimeout(r.Context(), temporalTimeout)
		defer cancel()
		_, err := h.Requests.SubmitCode(ctx, request.UID, challenge, code)
		switch {
		case err == nil, errors.Is(err, sdk.ErrNoWorker): // kept for the worker that comes
			said = "code"
		case !errors.Is(err, sdk.ErrNotAwaited):
			return temporalError(err)
		}
	}
	done(w, r, listPath+"/"+request.UID, said)
	return nil
}

func (h *dashboard) metersFile(w http.ResponseWriter, r *http.Request, p person) error {
	request, err := h.Store.Request(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	if request.AuthorizationUID == "" {
		return store.ErrNotFound
	}
	meters, err := h.Store.AllMeters(r.Context(), p.requester.UID, request.AuthorizationUID)
	if err != nil {
		return err
	}
	lines := make([][]string, len(meters))
	for i, m := range meters {
		lines[i] = []string{m.UID, m.MeterNumber, m.AccountNumber, m.ServiceIdentifier, m.ServiceClass, m.Tariff, m.Status, m.ServiceAddress, h.utilityName(m.Utility)}
	}
	return writeFile(w, "meters-"+request.UID+".csv", []string{"uid", "meter_number", "account_number", "service_identifier", "service_class",
		"tariff", "status", "service_address", "utility"}, lines)
}

// writeFile answers with a file to keep.
func writeFile(w http.ResponseWriter, name string, heading []string, lines [][]string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return csvfile.Write(w, heading, lines)
}
