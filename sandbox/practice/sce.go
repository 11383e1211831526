package practice

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
)

// sce is a page drawn by script, as React does: the login fields stand in it twice under the same ids, in the header and
// in the main form, and the classes end in a part that changes with every release, here with every start.
//
// Nothing is known of its second factor but its kinds, nor of the services behind the pages: those are ours.
func sce() *utility {
	return &utility{
		id: "SCE", name: "Southern California Edison", entry: "https://www.sce.com" + sceLogin,
		kinds: commonKinds(Choice),
		methods: []method{
			{"sms-0", "sms", 0}, {"call-0", "call", 0}, {"sms-1", "sms", 1}, {"call-1", "call", 1},
		},
		meters: meterGenerator{
			state: "CA", city: "Claremont", zip: 91700, account: numberFormat{"70", 12}, service: numberFormat{"8", 10}, meterDigits: 9, perAccount: 2,
			tariffs: []string{"TOU-D-4-9PM", "D", "TOU-GS-1-E"},
			shows: func(m Meter) Meter {
				return Meter{ServiceIdentifier: m.ServiceIdentifier, ServiceAddress: m.ServiceAddress, Tariff: m.Tariff}
			},
		},
		hosts: []host{{"", "https://www.sce.com"}},
		handlers: func(s *site) map[string]http.Handler {
			return map[string]http.Handler{"": (&sceSite{s, strings.ToLower(rand.Text()[:5])}).routes()}
		},
	}
}

type sceSite struct {
	*site
	release string // the part of the class names nobody can foresee
}

const (
	sceLogin = "/mysce/login"
	sceHome  = "/mysce/myaccount"
	sceAPI   = "/mysce/api/v1/"
)

func (s *sceSite) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+sceLogin, func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, "sce/login", "Log in", struct{ Release string }{s.release})
	})
	mux.HandleFunc("POST "+sceAPI+"authn", jsonBodyHandler(s.site, s.authn))
	mux.HandleFunc("POST "+sceAPI+"authn/send", jsonBodyHandler(s.site, s.send))
	mux.HandleFunc("POST "+sceAPI+"authn/verify", jsonBodyHandler(s.site, s.verify))
	mux.HandleFunc("GET "+sceHome, s.needSignIn(sceLogin, func(w http.ResponseWriter, r *http.Request, sess *session) {
		s.show(w, r, "sce/account", "My account", struct {
			Release string
			Nag     bool
		}{s.release, s.system.snapshot(sess).nag})
	}))
	mux.HandleFunc("POST "+sceAPI+"preferences", s.needSignIn(sceLogin, func(w http.ResponseWriter, _ *http.Request, sess *session) {
		s.system.dismissNag(sess)
		s.reply(w, sess, map[string]bool{"saved": true})
	}))
	mux.HandleFunc("GET "+sceAPI+"serviceaccounts", s.needSignIn(sceLogin, s.serviceAccounts))
	return mux
}

// sceAnswer tells the page what comes next. The statuses are those of Okta, which stands behind the real site.
type sceAnswer struct {
	Status   string     `json:"status,omitempty"`
	Message  string     `json:"message,omitempty"`
	Redirect string     `json:"redirect,omitempty"`
	Phones   []scePhone `json:"phones,omitempty"`
	SentTo   string     `json:"sentTo,omitempty"`
	Wait     int64      `json:"wait,omitempty"` // milliseconds until a code can be sent again
}

type scePhone struct {
	Slot   string `json:"slot"`
	Number string `json:"number"` // masked
}

func (s *sceSite) authn(x *exchange, form struct{ Username, Password string }) (sceAnswer, error) {
	result, err := s.login(x, form.Username, form.Password)
	snap := s.system.snapshot(x.session)
	switch {
	case result == rejected:
		return sceAnswer{Message: "The e-mail and/or password you entered is incorrect."}, err
	case result == accountLocked:
		return sceAnswer{Status: "LOCKED_OUT", Message: "Your profile is locked after too many attempts."}, err
	case result == notRegistered:
		return sceAnswer{Status: "VERIFICATION_PENDING"}, err
	case result == challenged && snap.challenge.kind == "choice":
		return sceAnswer{Status: "MFA_REQUIRED", Phones: phones(snap.options)}, err
	case result == challenged && err == nil:
		return s.deliver(x, "")
	case result == admitted:
		return sceAnswer{Status: "SUCCESS", Redirect: s.landingPath(x.session, "", sceHome)}, err
	}
	return sceAnswer{Redirect: interstitialFor(result)}, err
}

// phones lists each phone once: the ways to use it are the page's to offer.
func phones(options []option) []scePhone {
	var list []scePhone
	for _, o := range options {
		if slot, found := strings.CutPrefix(o.ID, "sms-"); found {
			list = append(list, scePhone{slot, o.To})
		}
	}
	return list
}

// send makes a further code, by the phone and the way chosen or as before.
func (s *sceSite) send(x *exchange, form struct{ Phone, Method string }) (sceAnswer, error) {
	if form.Method == "" {
		return s.deliver(x, "")
	}
	return s.deliver(x, form.Method+"-"+form.Phone)
}

func (s *sceSite) deliver(x *exchange, by string) (sceAnswer, error) {
	err := s.system.sendCode(x.session, by)
	if errors.Is(err, errEnded) {
		return sceAnswer{Redirect: sessionEndedPath}, nil
	}
	snap := s.system.snapshot(x.session)
	answer := sceAnswer{
		Status: "MFA_CHALLENGE", SentTo: snap.challenge.sent.To, Phones: phones(snap.options), Wait: s.system.opts.ResendAfter.Milliseconds(),
	}
	if err != nil {
		answer.Message = "Please wait a moment before you ask for another code."
	}
	return answer, nil
}

func (s *sceSite) verify(x *exchange, form struct{ PassCode string }) (sceAnswer, error) {
	result, err := s.submitCode(x, form.PassCode)
	switch result {
	case codeRight:
		return sceAnswer{Status: "SUCCESS", Redirect: s.landingPath(x.session, "", sceHome)}, err
	case codeWrong:
		return sceAnswer{Message: "The code you entered is incorrect."}, err
	}
	return sceAnswer{Redirect: sessionEndedPath}, err
}

func (s *sceSite) serviceAccounts(w http.ResponseWriter, _ *http.Request, sess *session) {
	snap := s.system.snapshot(sess)
	s.system.noteMetersRead(sess)
	s.reply(w, sess, map[string]any{"accounts": accountCount(snap.records), "serviceAccounts": snap.meters(s.utility)})
}
