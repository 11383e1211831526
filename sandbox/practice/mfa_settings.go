package practice

import "net/http"

// mfaSettingsData fills the page on which a customer turns MFA off and on.
type mfaSettingsData struct {
	User  string
	On    bool
	Saved bool
}

// mfaSettings is the settings page of an account. A practice customer needs no sign-in for it.
func (s *site) mfaSettings(w http.ResponseWriter, r *http.Request) {
	user := r.FormValue("user")
	if user == "" {
		s.show(w, r, "common/security", "Security settings", mfaSettingsData{})
		return
	}
	if r.Method == http.MethodPost {
		s.system.setMFA(s.utility, user, r.FormValue("mfa") == "on")
	}
	s.show(w, r, "common/security", "Security settings",
		mfaSettingsData{User: user, On: s.system.mfa(s.utility, user), Saved: r.Method == http.MethodPost})
}
