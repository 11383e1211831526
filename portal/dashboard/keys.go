package dashboard

import (
	"net/http"
	"strings"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
)

const keysPath = "/dashboard/keys"

func (h *dashboard) routeKeys(mux *http.ServeMux) {
	mux.Handle("GET "+keysPath, h.signedIn(h.listKeys))
	mux.Handle("POST "+keysPath, h.signedIn(h.makeKey))
	mux.Handle("GET "+keysPath+"/{uid}/revoke", h.signedIn(h.confirmRevokeKey))
	mux.Handle("POST "+keysPath+"/{uid}/revoke", h.signedIn(h.revokeKey))
}

// made is a secret that was just made, shown this once.
type made struct{ Name, Secret string }

// keysPage is what the page of API keys shows.
type keysPage struct {
	API  string
	Made *made
	Name field
	Keys []store.APIKey
}

func (h *dashboard) listKeys(w http.ResponseWriter, r *http.Request, p person) error {
	return h.writeKeys(w, r, p, http.StatusOK, keysPage{})
}

func (h *dashboard) writeKeys(w http.ResponseWriter, r *http.Request, p person, status int, shown keysPage) error {
	var err error
	if shown.Keys, err = h.Store.Keys(r.Context(), p.requester.UID); err != nil {
		return err
	}
	shown.API = h.PortalURL + "/api/v2"
	shown.Name.ID, shown.Name.Label, shown.Name.Type, shown.Name.Autocomplete, shown.Name.Required = "name", "Name", "text", "off", true
	shown.Name.Hint, shown.Name.Max = "What uses it, such as “CRM”.", 100
	return h.write(w, r, &p, page{name: "keys", title: "API keys", status: status, body: shown})
}

func (h *dashboard) makeKey(w http.ResponseWriter, r *http.Request, p person) error {
	name := strings.TrimSpace(r.PostFormValue("name"))
	mistake := csvfile.TextProblem(name)
	if name == "" {
		mistake = "is missing: say what will use the key"
	}
	if mistake != "" {
		return h.writeKeys(w, r, p, http.StatusUnprocessableEntity, keysPage{Name: field{Value: name, Mistake: "The name " + mistake + "."}})
	}
	_, secret, err := h.Store.AddKey(r.Context(), p.requester.UID, name, nil)
	if err != nil {
		return err
	}
	return h.writeKeys(w, r, p, http.StatusOK, keysPage{Made: &made{name, secret}})
}

func (h *dashboard) confirmRevokeKey(w http.ResponseWriter, r *http.Request, p person) error {
	keys, err := h.Store.Keys(r.Context(), p.requester.UID)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.UID == r.PathValue("uid") && key.Revoked == nil {
			return h.write(w, r, &p, page{name: "confirm", title: "Revoke the key?", body: confirmPage{
				Heading: "Revoke the key “" + key.Name + "”?", Label: "Revoke", Danger: true, Back: keysPath,
				Text: "Whatever uses it is refused from then on. This cannot be undone.", Action: keysPath + "/" + key.UID + "/revoke"}})
		}
	}
	return store.ErrNotFound
}

func (h *dashboard) revokeKey(w http.ResponseWriter, r *http.Request, p person) error {
	if err := h.Store.RevokeKey(r.Context(), p.requester.UID, r.PathValue("uid")); err != nil {
		return err
	}
	done(w, r, keysPath, "key-revoked")
	return nil
}
