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
	mux.HandleFunc("POST "+sdgeLogin, s.validate)
	mux.HandleFunc("GET "+sdgeTwoStep, s.twoStepPage)
	mux.HandleFunc("POST "+sdgeTwoStep, s.twoStep)
	mux.HandleFunc("POST "+sdgeTwoStep+"/Resend", s.resend)
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

func (s *sdgeSite) validate(w http.ResponseWriter, r *http.Request) {
	var form struct{ Username, Password string }
	if err := readJSON(w, r, &form); err != nil {
		s.fail(w, err)
		return
	}
	said, v, err := s.login(w, r, form.Username, form.Password)
	if err == nil && said == challenged {
		err = s.desk.send(v, "")
	}
	switch {
	case err != nil:
		s.fail(w, err)
	case said == siteBroken:
		s.maintenance(w, r)
	case said == rejected:
		s.reply(w, nil, sdgeAnswer{Message: "The user name or password is incorrect."})
	case said == accountLocked:
		s.reply(w, nil, sdgeAnswer{Message: "This account is locked."})
	case said == challenged:
		s.reply(w, v, sdgeAnswer{Success: true, Redirect: sdgeTwoStep})
	case said == admitted:
		s.reply(w, v, sdgeAnswer{Success: true, Redirect: s.landing(v, "", sdgeHome)})
	default:
		s.reply(w, v, sdgeAnswer{Success: true, Redirect: detour(said)})
	}
}

func (s *sdgeSite) twoStepPage(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r)
	if v == nil || s.desk.look(v).is != asked {
		http.Redirect(w, r, endedPath, http.StatusFound)
		return
	}
	s.show(w, r, "sdge/two-step", "2-step verification", struct {
		To       string
		CoolDown int64
	}{s.desk.look(v).asks.sent.To, s.desk.opts.ResendAfter.Milliseconds()})
}

func (s *sdgeSite) twoStep(w http.ResponseWriter, r *http.Request) {
	var form struct{ Code string }
	v := s.visit(r)
	if err := readJSON(w, r, &form); err != nil || v == nil {
		s.reply(w, nil, sdgeAnswer{Redirect: endedPath})
		return
	}
	if err := s.dawdle(r.Context(), v); err != nil {
		s.fail(w, err)
		return
	}
	switch s.desk.submit(v, form.Code) {
	case right:
		s.reply(w, v, sdgeAnswer{Success: true, Redirect: s.landing(v, "", sdgeHome)})
	case wrong:
		s.reply(w, v, sdgeAnswer{Message: "The verification code is incorrect."})
	default:
		s.reply(w, v, sdgeAnswer{Redirect: endedPath})
	}
}

func (s *sdgeSite) resend(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r)
	if v == nil || errors.Is(s.desk.send(v, ""), errEnded) {
		s.reply(w, nil, sdgeAnswer{Redirect: endedPath})
		return
	}
	s.reply(w, v, sdgeAnswer{Success: true})
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
