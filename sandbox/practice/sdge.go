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
		shape: shape{
			state: "CA", city: "La Mesa", zip: 91900, account: digits{"3", 9}, service: digits{"", 10}, meterDigits: 7, perAccount: 3,
			tariffs: []string{"DR", "TOU-DR1"}, gasTariff: "GR",
			shows: func(m Meter) Meter {
				return Meter{AccountNumber: m.AccountNumber, MeterNumber: m.MeterNumber, ServiceClass: m.ServiceClass}
			},
		},
		hosts: []host{{"", "https://myenergycenter.com"}},
		build: func(s *site) map[string]http.Handler { return map[string]http.Handler{"": (&sdgeSite{s}).routes()} },
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
	mux.HandleFunc("POST "+sdgeLogin, takes(s.site, s.validate))
	mux.HandleFunc("GET "+sdgeTwoStep, s.twoStepPage)
	mux.HandleFunc("POST "+sdgeTwoStep, takes(s.site, s.twoStep))
	mux.HandleFunc("POST "+sdgeTwoStep+"/Resend", s.service(s.resend))
	for address, title := range map[string]string{sdgeHome: "Dashboard", sdgeUsage: "Usage"} {
		mux.HandleFunc("GET "+address, s.needSignIn(sdgeLogin, func(w http.ResponseWriter, r *http.Request, v *visit) {
			s.portalPage(w, r, v, title)
		}))
	}
	mux.HandleFunc("POST /portal/Dashboard/DismissPaperless", s.needSignIn(sdgeLogin, func(w http.ResponseWriter, _ *http.Request, v *visit) {
		s.desk.dismiss(v)
		s.reply(w, v, sdgeAnswer{Success: true})
	}))
	mux.HandleFunc("GET /portal/Usage/GetMeters", s.needSignIn(sdgeLogin, s.meters))
	return mux
}

type sdgeAnswer struct {
	Success  bool
	Message  string `json:",omitempty"`
	Redirect string `json:",omitempty"`
}

func (s *sdgeSite) validate(c *call, form struct{ Username, Password string }) (sdgeAnswer, error) {
	said, err := s.login(c, form.Username, form.Password)
	if err == nil && said == challenged {
		err = s.desk.send(c.visit, "")
	}
	switch said {
	case rejected:
		return sdgeAnswer{Message: "The user name or password is incorrect."}, err
	case accountLocked:
		return sdgeAnswer{Message: "This account is locked."}, err
	case challenged:
		return sdgeAnswer{Success: true, Redirect: sdgeTwoStep}, err
	case admitted:
		return sdgeAnswer{Success: true, Redirect: s.landing(c.visit, "", sdgeHome)}, err
	}
	return sdgeAnswer{Success: true, Redirect: detour(said)}, err
}

func (s *sdgeSite) twoStepPage(w http.ResponseWriter, r *http.Request) {
	look := s.desk.look(s.visit(r))
	if look.is != asked {
		http.Redirect(w, r, endedPath, http.StatusFound)
		return
	}
	s.show(w, r, "sdge/two-step", "2-step verification", struct {
		To       string
		CoolDown int64
	}{look.asks.sent.To, s.desk.opts.ResendAfter.Milliseconds()})
}

func (s *sdgeSite) twoStep(c *call, form struct{ Code string }) (sdgeAnswer, error) {
	said, err := s.submit(c, form.Code)
	switch said {
	case right:
		return sdgeAnswer{Success: true, Redirect: s.landing(c.visit, "", sdgeHome)}, err
	case wrong:
		return sdgeAnswer{Message: "The verification code is incorrect."}, err
	}
	return sdgeAnswer{Redirect: endedPath}, err
}

func (s *sdgeSite) resend(c *call) (any, error) {
	if errors.Is(s.desk.send(c.visit, ""), errEnded) {
		return sdgeAnswer{Redirect: endedPath}, nil
	}
	return sdgeAnswer{Success: true}, nil
}

func (s *sdgeSite) portalPage(w http.ResponseWriter, r *http.Request, v *visit, title string) {
	look := s.desk.look(v)
	var numbers []string
	for _, rec := range look.records {
		if len(numbers) == 0 || numbers[len(numbers)-1] != rec.AccountNumber {
			numbers = append(numbers, rec.AccountNumber)
		}
	}
	s.show(w, r, "sdge/portal", title, struct {
		Title    string
		Accounts []string
		Nag      bool
	}{title, numbers, look.nag})
}

// meters lists the meters of one account, by its number as shown.
func (s *sdgeSite) meters(w http.ResponseWriter, r *http.Request, v *visit) {
	list := []Meter{}
	for _, m := range s.desk.look(v).shown(s.utility) {
		if m.AccountNumber == r.URL.Query().Get("account") {
			list = append(list, m)
		}
	}
	s.desk.shown(v)
	s.reply(w, v, list)
}
