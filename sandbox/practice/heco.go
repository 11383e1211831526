package practice

import (
	"errors"
	"net/http"
)

// heco is a server-rendered site with a session, of the SAP kind. Of its residential pages only the login address is
// known. The names of its login fields and button are those of the standard SAP logon page; the error is the one of the
// business portal; the rest is ours.
func heco() *utility {
	return &utility{
		id: "HECO", name: "Hawaiian Electric", entry: "https://eservice.hawaiianelectric.com" + hecoLogon,
		kinds: commonKinds(Choice), methods: []method{{"text", "sms", 0}, {"call", "call", 0}},
		shape: shape{
			state: "HI", city: "Kaimuki", zip: 96810, account: digits{"2", 12}, service: digits{"", 10}, meterDigits: 8, perAccount: 2,
			tariffs: []string{"R Residential", "TOU-R Time of use", "G General service"},
			shows:   func(m Meter) Meter { m.ServiceIdentifier, m.ServiceClass = "", ""; return m },
		},
		hosts: []host{{"", "https://eservice.hawaiianelectric.com"}},
		build: func(s *site) map[string]http.Handler { return map[string]http.Handler{"": (&hecoSite{s}).routes()} },
	}
}

type hecoSite struct{ *site }

const (
	hecoLogon  = "/bdisu/logon.sap"
	hecoVerify = "/bdisu/verify.sap"
	hecoHome   = "/bdisu/accounts.sap"
)

func (h *hecoSite) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+hecoLogon, func(w http.ResponseWriter, r *http.Request) { h.logonPage(w, r, "") })
	mux.HandleFunc("POST "+hecoLogon, h.logon)
	mux.HandleFunc("GET "+hecoVerify, h.verifyPage)
	mux.HandleFunc("POST "+hecoVerify, h.verify)
	mux.HandleFunc("GET "+hecoHome, h.needSignIn(hecoLogon, h.accounts))
	mux.HandleFunc("POST "+hecoHome, h.needSignIn(hecoLogon, h.declineOffer))
	return mux
}

func (h *hecoSite) logonPage(w http.ResponseWriter, r *http.Request, problem string) {
	h.show(w, r, "heco/logon", "Log on", problem)
}

func (h *hecoSite) logon(w http.ResponseWriter, r *http.Request) {
	c := h.call(w, r)
	said, err := h.login(c, r.FormValue("sap-user"), r.FormValue("sap-password"))
	if err == nil && said == challenged && h.desk.look(c.visit).asks.kind == "code" {
		err = h.desk.send(c.visit, "")
	}
	switch {
	case err != nil:
		h.fail(w, r, err)
	case said == rejected:
		h.logonPage(w, r, "User ID or password not found.")
	case said == accountLocked:
		h.logonPage(w, r, "Your user ID is locked after too many failed attempts.")
	case said == challenged:
		http.Redirect(w, r, hecoVerify, http.StatusSeeOther)
	case said == admitted:
		http.Redirect(w, r, h.landing(c.visit, "", hecoHome), http.StatusSeeOther)
	default:
		http.Redirect(w, r, detour(said), http.StatusSeeOther)
	}
}

func (h *hecoSite) verifyPage(w http.ResponseWriter, r *http.Request) {
	if look := h.desk.look(h.visit(r)); look.is == asked {
		h.drawVerify(w, r, look, "")
		return
	}
	http.Redirect(w, r, endedPath, http.StatusSeeOther)
}

func (h *hecoSite) drawVerify(w http.ResponseWriter, r *http.Request, look seen, problem string) {
	h.show(w, r, "heco/"+look.asks.kind, "Verification", struct {
		Problem, To string
		Options     []option
		CoolDown    int64
	}{problem, look.asks.sent.To, look.options, h.desk.opts.ResendAfter.Milliseconds()})
}

// verify takes the chosen way or the wish for another code, or else the code.
func (h *hecoSite) verify(w http.ResponseWriter, r *http.Request) {
	c := h.call(w, r)
	if r.FormValue("action") != "verify" {
		h.deliver(c)
		return
	}
	look := h.desk.look(c.visit)
	said, err := h.submit(c, r.FormValue("passcode"))
	switch {
	case err != nil:
		h.fail(w, r, err)
	case said == right:
		http.Redirect(w, r, h.landing(c.visit, "", hecoHome), http.StatusSeeOther)
	case said == wrong:
		h.drawVerify(w, r, look, "The code is not right.")
	default:
		http.Redirect(w, r, endedPath, http.StatusSeeOther)
	}
}

func (h *hecoSite) deliver(c *call) {
	next := hecoVerify
	if errors.Is(h.desk.send(c.visit, c.r.FormValue("delivery")), errEnded) {
		next = endedPath
	}
	http.Redirect(c.w, c.r, next, http.StatusSeeOther)
}

func (h *hecoSite) accounts(w http.ResponseWriter, r *http.Request, v *visit) {
	look := h.desk.look(v)
	h.desk.shown(v)
	h.show(w, r, "heco/accounts", "Your accounts", struct {
		Sheet sheet[Meter]
		Nag   bool
	}{cut(look.shown(h.utility), numberOf(r.URL.Query(), "page", 1), 10), look.nag})
}

func (h *hecoSite) declineOffer(w http.ResponseWriter, r *http.Request, v *visit) {
	h.desk.dismiss(v)
	http.Redirect(w, r, hecoHome, http.StatusSeeOther)
}
