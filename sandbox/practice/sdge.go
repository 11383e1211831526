package practice

import (
	"errors"
	"net/http"
)

// sdge is a page with AngularJS habits: it signs in by a request of its own, tells failures in a toast that goes away,
// and lists accounts and meters in drop-downs built when they are opened. Numbers stand there without their leading
// zeros, the account's without its last digit too. The page of the code and the services behind the pages are ours.
func sdge() *utility {
	return &utility{
		id: "SDGE", name: "San Diego Gas and Electric", entry: "https://myenergycenter.com" + sdgeLogin,
		kinds: commonKinds(), methods: []method{{"sms", "sms", 0}},
		meters: meterGenerator{
			state: "CA", city: "La Mesa", zip: 91900, account: numberFormat{"3", 9}, service: numberFormat{"", 10}, meterDigits: 7, perAccount: 3,
			tariffs: []string{"DR", "TOU-DR1"}, gasTariff: "GR",
			shows: func(m Meter) Meter {
				return Meter{AccountNumber: m.AccountNumber, MeterNumber: m.MeterNumber, ServiceClass: m.ServiceClass}
			},
		},
		hosts:    []host{{"", "https://myenergycenter.com"}},
		handlers: func(s *site) map[string]http.Handler { return map[string]http.Handler{"": (&sdgeSite{s}).routes()} },
	}
}

type sdgeSite struct{ *site }

const (
	sdgeLogin   = "/portal/PreLogin/Validate"
	sdgeTwoStep = "/portal/PreLogin/TwoStepVerification"
	sdgeHome    = "/portal/Dashboard/index"
	sdgeUsage   = "/portal/Usage/Index"
)

func (s *sdgeSite) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+sdgeLogin, func(w http.ResponseWriter, r *http.Request) { s.show(w, r, "sdge/login", "Log in", nil) })
	mux.HandleFunc("POST "+sdgeLogin, jsonBodyHandler(s.site, s.validate))
	mux.HandleFunc("GET "+sdgeTwoStep, s.twoStepPage)
	mux.HandleFunc("POST "+sdgeTwoStep, jsonBodyHandler(s.site, s.twoStep))
	mux.HandleFunc("POST "+sdgeTwoStep+"/Resend", s.jsonHandler(s.resend))
	for address, title := range map[string]string{sdgeHome: "Dashboard", sdgeUsage: "Usage"} {
		mux.HandleFunc("GET "+address, s.needSignIn(sdgeLogin, func(w http.ResponseWriter, r *http.Request, sess *session) {
			s.portalPage(w, r, sess, title)
		}))
	}
	mux.HandleFunc("POST /portal/Dashboard/DismissPaperless", s.needSignIn(sdgeLogin, func(w http.ResponseWriter, _ *http.Request, sess *session) {
		s.system.dismissNag(sess)
		s.reply(w, sess, sdgeAnswer{Success: true})
	}))
	mux.HandleFunc("GET /portal/Usage/GetMeters", s.needSignIn(sdgeLogin, s.meters))
	return mux
}

type sdgeAnswer struct {
	Success  bool
	Message  string `json:",omitempty"`
	Redirect string `json:",omitempty"`
}

func (s *sdgeSite) validate(x *exchange, form struct{ Username, Password string }) (sdgeAnswer, error) {
	result, err := s.login(x, form.Username, form.Password)
	if err == nil && result == challenged {
		err = s.system.sendCode(x.session, "")
	}
	switch result {
	case rejected:
		return sdgeAnswer{Message: "The user name or password is incorrect."}, err
	case accountLocked:
		return sdgeAnswer{Message: "This account is locked."}, err
	case challenged:
		return sdgeAnswer{Success: true, Redirect: sdgeTwoStep}, err
	case admitted:
		return sdgeAnswer{Success: true, Redirect: s.landingPath(x.session, "", sdgeHome)}, err
	}
	return sdgeAnswer{Success: true, Redirect: interstitialFor(result)}, err
}

func (s *sdgeSite) twoStepPage(w http.ResponseWriter, r *http.Request) {
	snap := s.system.snapshot(s.session(r))
	if snap.state != awaitingCode {
		http.Redirect(w, r, sessionEndedPath, http.StatusFound)
		return
	}
	s.show(w, r, "sdge/two-step", "2-step verification", struct {
		To       string
		CoolDown int64
	}{snap.challenge.sent.To, s.system.opts.ResendAfter.Milliseconds()})
}

func (s *sdgeSite) twoStep(x *exchange, form struct{ Code string }) (sdgeAnswer, error) {
	result, err := s.submitCode(x, form.Code)
	switch result {
	case codeRight:
		return sdgeAnswer{Success: true, Redirect: s.landingPath(x.session, "", sdgeHome)}, err
	case codeWrong:
		return sdgeAnswer{Message: "The verification code is incorrect."}, err
	}
	return sdgeAnswer{Redirect: sessionEndedPath}, err
}

func (s *sdgeSite) resend(x *exchange) (any, error) {
	if errors.Is(s.system.sendCode(x.session, ""), errEnded) {
		return sdgeAnswer{Redirect: sessionEndedPath}, nil
	}
	return sdgeAnswer{Success: true}, nil
}

func (s *sdgeSite) portalPage(w http.ResponseWriter, r *http.Request, sess *session, title string) {
	snap := s.system.snapshot(sess)
	var numbers []string
	for _, rec := range snap.records {
		if len(numbers) == 0 || numbers[len(numbers)-1] != rec.AccountNumber {
			numbers = append(numbers, rec.AccountNumber)
		}
	}
	s.show(w, r, "sdge/portal", title, struct {
		Title    string
		Accounts []string
		Nag      bool
	}{title, numbers, snap.nag})
}

// meters lists the meters of one account, by its number as shown.
func (s *sdgeSite) meters(w http.ResponseWriter, r *http.Request, sess *session) {
	list := []Meter{}
	for _, m := range s.system.snapshot(sess).meters(s.utility) {
		if m.AccountNumber == r.URL.Query().Get("account") {
			list = append(list, m)
		}
	}
	s.system.noteMetersRead(sess)
	s.reply(w, sess, list)
}
