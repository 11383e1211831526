package practice

import "net/http"

// Where a login ends that neither failed nor led to the accounts. Nothing is known of these pages on the real sites:
// their addresses, wording and markup are ours.
const (
	changedPath      = "/experience/begin"
	sessionEndedPath = "/session-ended"
	noticePath       = "/notice/"
)

// interstitialFor gives the page to which a login result leads, or nothing if it has none.
func interstitialFor(result loginResult) string {
	switch result {
	case passwordExpired:
		return noticePath + "password-expired"
	case notRegistered:
		return noticePath + "finish-registration"
	case captchaAsked:
		return noticePath + "captcha"
	}
	return ""
}

// landingPath gives the page on which a session lands once it is signed in.
func (s *site) landingPath(sess *session, nag, home string) string {
	snap := s.system.snapshot(sess)
	switch {
	case snap.kind == Changed:
		return changedPath
	case snap.nag && nag != "":
		return nag
	}
	return home
}

// routeInterstitials adds the pages that every host of a site has.
func (s *site) routeInterstitials(mux *http.ServeMux) {
	titles := map[string]string{
		"password-expired": "Your password has expired", "finish-registration": "Finish your registration", "captcha": "One more check",
	}
	mux.HandleFunc("GET "+noticePath+"{page}", func(w http.ResponseWriter, r *http.Request) {
		page := r.PathValue("page")
		if titles[page] == "" {
			http.NotFound(w, r)
			return
		}
		s.show(w, r, "common/"+page, titles[page], nil)
	})
	mux.HandleFunc("GET "+changedPath, func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, "common/changed", "Welcome", nil)
	})
	mux.HandleFunc("GET "+sessionEndedPath, s.showSessionEnded)
	mux.HandleFunc("GET /maintenance", s.maintenance)
	mux.HandleFunc("GET /recaptcha/api2/anchor", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// The other side may be gone; there is nobody left to tell.
		_, _ = w.Write([]byte(`<!doctype html><title>reCAPTCHA</title><label><input type="checkbox" disabled> I am not a robot (practice)</label>`))
	})
}

// showSessionEnded is where a page goes when its session is over; the browser begins afresh.
func (s *site) showSessionEnded(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookieName); err == nil && s.signedInSession(r) == nil {
		s.system.forget(c.Value)
	}
	s.show(w, r, "common/session-ended", "Your session has ended", s.practiceLogin())
}

// handOverTo shows a form that submits itself, to carry a session from one host of the site to another.
func (s *site) handOverTo(w http.ResponseWriter, r *http.Request, sess *session, address string) {
	s.show(w, r, "common/hand-over", "One moment", struct{ Action, Ticket string }{address, s.system.issueTicket(sess)})
}
