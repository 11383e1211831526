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
		meters: meterGenerator{
			state: "HI", city: "Kaimuki", zip: 96810, account: numberFormat{"2", 12}, service: numberFormat{"", 10}, meterDigits: 8, perAccount: 2,
			tariffs: []string{"R Residential", "TOU-R Time of use", "G General service"},
			shows:   func(m Meter) Meter { m.ServiceIdentifier, m.ServiceClass = "", ""; return m },
		},
		hosts:    []host{{"", "https://eservice.hawaiianelectric.com"}},
		handlers: func(s *site) map[string]http.Handler { return map[string]http.Handler{"": (&hecoSite{s}).routes()} },
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
	x := h.newExchange(w, r)
	result, err := h.login(x, r.FormValue("sap-user"), r.FormValue("sap-password"))
	if err == nil && result == challenged && h.system.snapshot(x.session).challenge.kind == "code" {
		err = h.system.sendCode(x.session, "")
	}
	switch {
	case err != nil:
		h.fail(w, r, err)
	case result == rejected:
		h.logonPage(w, r, "User ID or password not found.")
	case result == accountLocked:
		h.logonPage(w, r, "Your user ID is locked after too many failed attempts.")
	case result == challenged:
		http.Redirect(w, r, hecoVerify, http.StatusSeeOther)
	case result == admitted:
		http.Redirect(w, r, h.landingPath(x.session, "", hecoHome), http.StatusSeeOther)
	default:
		http.Redirect(w, r, interstitialFor(result), http.StatusSeeOther)
	}
}

func (h *hecoSite) verifyPage(w http.ResponseWriter, r *http.Request) {
	if snap := h.system.snapshot(h.session(r)); snap.state == awaitingCode {
		h.drawVerify(w, r, snap, "")
		return
	}
	http.Redirect(w, r, sessionEndedPath, http.StatusSeeOther)
}

func (h *hecoSite) drawVerify(w http.ResponseWriter, r *http.Request, snap snapshot, problem string) {
	h.show(w, r, "heco/"+snap.challenge.kind, "Verification", struct {
		Problem, To string
		Options     []option
		CoolDown    int64
	}{problem, snap.challenge.sent.To, snap.options, h.system.opts.ResendAfter.Milliseconds()})
}

// verify takes the chosen way or the wish for another code, or else the code.
func (h *hecoSite) verify(w http.ResponseWriter, r *http.Request) {
	x := h.newExchange(w, r)
	if r.FormValue("action") != "verify" {
		h.deliver(x)
		return
	}
	snap := h.system.snapshot(x.session)
	result, err := h.submitCode(x, r.FormValue("passcode"))
	switch {
	case err != nil:
		h.fail(w, r, err)
	case result == codeRight:
		http.Redirect(w, r, h.landingPath(x.session, "", hecoHome), http.StatusSeeOther)
	case result == codeWrong:
		h.drawVerify(w, r, snap, "The code is not right.")
	default:
		http.Redirect(w, r, sessionEndedPath, http.StatusSeeOther)
	}
}

func (h *hecoSite) deliver(x *exchange) {
	next := hecoVerify
	if errors.Is(h.system.sendCode(x.session, x.r.FormValue("delivery")), errEnded) {
		next = sessionEndedPath
	}
	http.Redirect(x.w, x.r, next, http.StatusSeeOther)
}

func (h *hecoSite) accounts(w http.ResponseWriter, r *http.Request, sess *session) {
	snap := h.system.snapshot(sess)
	h.system.noteMetersRead(sess)
	h.show(w, r, "heco/accounts", "Your accounts", struct {
		Page resultPage[Meter]
		Nag  bool
	}{paginate(snap.meters(h.utility), queryInt(r.URL.Query(), "page", 1), 10), snap.nag})
}

func (h *hecoSite) declineOffer(w http.ResponseWriter, r *http.Request, sess *session) {
	h.system.dismissNag(sess)
	http.Redirect(w, r, hecoHome, http.StatusSeeOther)
}
