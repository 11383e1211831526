package dashboard

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
	"github.com/meterkey/meterkey/portal/requests"
	"github.com/meterkey/meterkey/utilities"
)

// uidForm is what store.NewUID makes.
var uidForm = regexp.MustCompile(`^[a-z2-7]{16}$`)

// newPage is what the form of a new request shows.
type newPage struct {
	// UID is the request's from the start, so that a form that is sent twice makes one request.
	UID       string
	Wrong     string
	Fields    []field
	Utilities []suggestion
}

// suggestion is a utility as it is offered while one types.
type suggestion struct{ ID, Label string }

func suggestions(all []*utilities.Utility) []suggestion {
	var shown []suggestion
	for _, u := range all {
		shown = append(shown, suggestion{u.ID, strings.Join(append([]string{u.Name}, u.Aliases...), ", ")})
	}
	return shown
}

// newForm is what was typed.
type newForm struct{ uid, email, name, nickname, utility, expires string }

func readNewForm(r *http.Request) newForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return newForm{uid: value("uid"), email: value("email"), name: value("name"), nickname: value("nickname"),
		utility: value("utility"), expires: value("expires")}
}

// check finds what is wrong, by field, and what is to be stored if nothing is.
func (h *dashboard) check(f newForm) (store.Request, map[string]string) {
	mistakes := map[string]string{}
	note := func(field, problem string) {
		if problem != "" {
			mistakes[field] = "This " + problem + "."
		}
	}
	if f.email != "" {
		note("email", csvfile.EmailProblem(f.email))
	}
	note("name", csvfile.TextProblem(f.name))
	note("nickname", csvfile.TextProblem(f.nickname))
	note("expires", csvfile.ExpiresProblem(f.expires, time.Now().UTC()))
	utility, err := h.findUtility(f.utility)
	if err != nil {
		mistakes["utility"] = upper(err.Error()) + "."
	}
	return store.Request{UID: f.uid, CustomerEmail: f.email, CustomerName: f.name, Nickname: f.nickname, Utility: utility,
		Scope: requests.ScopeUntil(f.expires)}, mistakes
}

// scopeWords says when a permission ends.
func scopeWords(s store.Scope) string {
	if at, err := time.Parse(time.RFC3339, s.Expires); err == nil {
		return "after " + at.UTC().Format("2 Jan 2006")
	}
	if preset := strings.ReplaceAll(cmp.Or(s.Expires, "until_revoked"), "_", " "); preset != "until revoked" {
		return preset
	}
	return "when it is revoked"
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func (h *dashboard) askNew(w http.ResponseWriter, r *http.Request, p person) error {
	return h.writeNew(w, r, p, newForm{uid: store.NewUID()}, nil)
}

func (h *dashboard) writeNew(w http.ResponseWriter, r *http.Request, p person, f newForm, mistakes map[string]string) error {
	shown := newPage{UID: f.uid, Utilities: suggestions(h.Utilities.All()), Fields: []field{
		{ID: "email", Label: "Customer’s e-mail", Type: "email", Value: f.email, Autocomplete: "off", Mistake: mistakes["email"],
			Hint: "Where the link goes. Left empty, you hand the link over yourself."},
		{ID: "name", Label: "Customer’s name", Type: "text", Value: f.name, Autocomplete: "off", Mistake: mistakes["name"], Hint: "Optional."},
		{ID: "nickname", Label: "Nickname", Type: "text", Value: f.nickname, Autocomplete: "off", Mistake: mistakes["nickname"],
			Hint: "Optional: your own word for it, such as a project. The customer does not see it."},
		{ID: "utility", Label: "Utility", Type: "text", Value: f.utility, Autocomplete: "off", List: "utilities", Mistake: mistakes["utility"],
			Hint: "Type a name and choose. Left empty, the customer chooses."},
		{ID: "expires", Label: "Last day of the permission", Type: "date", Value: f.expires, Mistake: mistakes["expires"],
			Min: time.Now().UTC().Format(time.DateOnly), Hint: "Left empty, it holds until it is revoked."},
	}}
	status := http.StatusOK
	if len(mistakes) > 0 {
		status, shown.Wrong = http.StatusUnprocessableEntity, "Nothing was sent yet: "+count(len(mistakes), "field")+" below to mend."
	}
	return h.write(w, r, &p, page{name: "new", title: "New data request", status: status, body: shown})
}

func (h *dashboard) sendNew(w http.ResponseWriter, r *http.Request, p person) error {
	form := readNewForm(r)
	if !uidForm.MatchString(form.uid) {
		form.uid = store.NewUID()
	}
	request, mistakes := h.check(form)
	if len(mistakes) > 0 {
		return h.writeNew(w, r, p, form, mistakes)
	}
	if err := h.send(r.Context(), p, request); err != nil {
		return err
	}
	done(w, r, listPath+"/"+request.UID, "sent")
	return nil
}
