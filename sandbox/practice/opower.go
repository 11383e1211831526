package practice

import (
	"net/http"
)

// opower is the usage service behind several utilities' sites, on a host of its own: it trusts a bearer token that the
// utility's site gives out.
type opower struct {
	*site
	code   string // what the service calls the utility
	portal string // the origin that may ask
}

func (o *opower) routes() http.Handler {
	accounts := "/ei/edge/apis/multi-account-v1/cws/" + o.code + "/customers"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+accounts, o.needBearer(o.customers))
	mux.HandleFunc("GET "+accounts+"/current", o.needBearer(o.current))
	mux.HandleFunc("GET /ei/edge/apis/cws-real-time-ami-v1/cws/"+o.code+"/accounts/{uuid}/meters", o.needBearer(o.meters))
	return o.allowPortal(mux)
}

// allowPortal lets the utility's own pages ask this host.
func (o *opower) allowPortal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", o.portal)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type opowerAccount struct {
	UUID           string `json:"uuid"`
	Preferred      string `json:"preferredUtilityAccountId"`
	MeterType      string `json:"meterType"` // ELEC or GAS
	ReadResolution string `json:"readResolution"`
}

type opowerCustomer struct {
	UUID string `json:"uuid"`
	// Address is ours: the service filters by addresses, how it shows them is not known.
	Address  string          `json:"address"`
	Accounts []opowerAccount `json:"utilityAccounts"`
}

func customerOf(r meterRecord) opowerCustomer {
	kind := "ELEC"
	if r.Gas() {
		kind = "GAS"
	}
	return opowerCustomer{r.UUID, r.ServiceAddress, []opowerAccount{{r.UUID, r.AccountNumber, kind, "QUARTER_HOUR"}}}
}

// customers lists the login's accounts, from offset on, batchSize of them.
func (o *opower) customers(w http.ResponseWriter, r *http.Request, sess *session) {
	records := o.system.snapshot(sess).records
	from := min(queryInt(r.URL.Query(), "offset", 0), len(records))
	to := min(from+queryInt(r.URL.Query(), "batchSize", 100), len(records))
	list := []opowerCustomer{}
	for _, rec := range records[from:to] {
		list = append(list, customerOf(rec))
	}
	o.system.noteMetersRead(sess)
	writeJSON(w, http.StatusOK, map[string]any{"customers": list})
}

// current gives the account that was picked on the utility's site, or the first.
func (o *opower) current(w http.ResponseWriter, r *http.Request, sess *session) {
	snap := o.system.snapshot(sess)
	for _, rec := range snap.records {
		if snap.pickedAccount == "" || rec.AccountNumber == snap.pickedAccount {
			writeJSON(w, http.StatusOK, customerOf(rec))
			return
		}
	}
	http.NotFound(w, r)
}

func (o *opower) meters(w http.ResponseWriter, r *http.Request, sess *session) {
	for _, rec := range o.system.snapshot(sess).records {
		if rec.UUID == r.PathValue("uuid") {
			o.system.noteMetersRead(sess)
			writeJSON(w, http.StatusOK, map[string]any{"meters_ids": []string{rec.MeterNumber}})
			return
		}
	}
	http.NotFound(w, r)
}
