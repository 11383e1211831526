package practice

import "net/http"

// securityData fills the page on which a customer turns MFA off and on.
type securityData struct {
	User  string
	On    bool
	Saved bool
}

// security is the settings page of an account. A practice customer needs no sign-in for it.
func (s *site) security(w http.ResponseWriter, r *http.Request) {
	user := r.FormValue("user")
	if user == "" {
		s.show(w, r, "common/security", "Security settings", securityData{})
		return
	}
	if r.Method == http.MethodPost {
		s.desk.setMFA(s.utility, user, r.FormValue("mfa") == "on")
	}
	s.show(w, r, "common/security", "Security settings",
		securityData{User: user, On: s.desk.mfa(s.utility, user), Saved: r.Method == http.MethodPost})
}
