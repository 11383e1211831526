package practice

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"go.uber.org/zap"
)

// control serves the front page, the practice phones and the endpoints for tests.
type control struct {
	system *customerSystem
	pages  *pages
	log    *zap.Logger
	server *Server
}

// UtilityInfo tells tests and people about one practice site.
type UtilityInfo struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	LoginURL string `json:"login_url"` // the real one
	Kinds    []Kind `json:"kinds"`
	// Practice is the practice address of the login page.
	Practice string `json:"practice_url"`
}

func (c *control) handler(static http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /practice/assets/", static)
	mux.HandleFunc("GET /{$}", c.frontPage)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /utilities", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, c.utilities()) })
	mux.HandleFunc("GET /kinds", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, Kinds()) })
	mux.HandleFunc("GET /origins", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, c.server.Origins()) })
	mux.HandleFunc("GET /accounts/{utility}/{user}", c.about(func(u *utility, user string) any { return c.system.meters(u, user) }))
	mux.HandleFunc("GET /inbox/{utility}/{user}", c.about(func(u *utility, user string) any { return c.system.inbox(u, user) }))
	mux.HandleFunc("GET /ledger/{utility}/{user}", c.about(func(u *utility, user string) any { return c.system.ledger(u, user) }))
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, c.system.ledgers()) })
	mux.HandleFunc("GET /inbox", c.inboxPage)
	mux.HandleFunc("POST /mfa/{utility}/{user}", c.setMFA)
	mux.HandleFunc("POST /outage/{utility}", c.setOutage)
	// A page from elsewhere must not be able to press these buttons in somebody's browser.
	return http.NewCrossOriginProtection().Handler(mux)
}

// utility finds the utility named in the path, or answers that there is none.
func (c *control) utility(w http.ResponseWriter, id string) *utility {
	for _, s := range c.server.sites {
		if strings.EqualFold(s.id, id) {
			return s.utility
		}
	}
	c.refuse(w, http.StatusNotFound, fmt.Sprintf("no practice utility is called %q; GET /utilities lists them", id))
	return nil
}

func (c *control) refuse(w http.ResponseWriter, status int, why string) {
	writeJSON(w, status, map[string]string{"error": why})
}

// about answers with something the customer system knows of one account.
func (c *control) about(tell func(*utility, string) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if u := c.utility(w, r.PathValue("utility")); u != nil {
			writeJSON(w, http.StatusOK, tell(u, r.PathValue("user")))
		}
	}
}

func (c *control) setMFA(w http.ResponseWriter, r *http.Request) {
	u := c.utility(w, r.PathValue("utility"))
	if u == nil {
		return
	}
	var set struct {
		Enabled *bool `json:"enabled"`
	}
	if err := readJSON(w, r, &set); err != nil || set.Enabled == nil {
		c.refuse(w, http.StatusBadRequest, `send {"enabled": true} or {"enabled": false}`)
		return
	}
	c.system.setMFA(u, r.PathValue("user"), *set.Enabled)
	writeJSON(w, http.StatusOK, map[string]bool{"enabled": *set.Enabled})
}

// forever is longer than any practice.
const forever = 100 * 365 * 24 * time.Hour

func (c *control) setOutage(w http.ResponseWriter, r *http.Request) {
	u := c.utility(w, r.PathValue("utility"))
	if u == nil {
		return
	}
	var set struct {
		Seconds float64 `json:"seconds"`
		On      *bool   `json:"on"`
	}
	if err := readJSON(w, r, &set); err != nil || set.On == nil && set.Seconds <= 0 {
		c.refuse(w, http.StatusBadRequest, `send {"seconds": 30}, {"on": true} or {"on": false}`)
		return
	}
	lasts := time.Duration(min(set.Seconds, forever.Seconds()) * float64(time.Second))
	if set.On != nil {
		lasts = 0
		if *set.On {
			lasts = forever
		}
	}
	c.system.setOutage(u, time.Now().Add(lasts))
	c.log.Info("outage", zap.String("utility", u.id), zap.Duration("lasts", lasts))
	writeJSON(w, http.StatusOK, map[string]bool{"on": lasts > 0})
}

func (c *control) utilities() []UtilityInfo {
	var list []UtilityInfo
	for _, s := range c.server.sites {
		list = append(list, UtilityInfo{s.id, s.name, s.entry, s.kinds, s.practiceLogin()})
	}
	sort.Slice(list, func(i, k int) bool { return list[i].ID < list[k].ID })
	return list
}

// practiceLogin is the login page's address with its real origin replaced.
func (s *site) practiceLogin() string {
	for _, h := range s.hosts {
		if rest, found := strings.CutPrefix(s.entry, h.real); found {
			return s.origin(h.label) + rest
		}
	}
	return s.origin("")
}

func (c *control) draw(w http.ResponseWriter, page, title string, data any) {
	if err := c.pages.write(w, http.StatusOK, page, view{Title: title, Data: data}); err != nil {
		c.log.Error("drawing a page", zap.String("page", page), zap.Error(err))
	}
}

func (c *control) frontPage(w http.ResponseWriter, _ *http.Request) {
	c.draw(w, "control/front", "Practice utilities", struct {
		Utilities []UtilityInfo
		Kinds     []KindInfo
		Accounts  []AccountLedger
		Password  string
	}{c.utilities(), Kinds(), c.system.ledgers(), Password})
}

// newestShown is how many messages the page of all phones shows.
const newestShown = 20

// inboxPage shows one practice phone, or the newest messages of all and asks which.
func (c *control) inboxPage(w http.ResponseWriter, r *http.Request) {
	data := struct {
		Utilities     []UtilityInfo
		Utility, User string
		Messages      []Message
		Newest        []phoneMessage
	}{Utilities: c.utilities(), Utility: r.FormValue("utility"), User: r.FormValue("user")}
	if data.Utility != "" && data.User != "" {
		u := c.utility(w, data.Utility)
		if u == nil {
			return
		}
		data.Messages = c.system.inbox(u, data.User)
	} else {
		data.Newest = c.system.newest(newestShown)
	}
	c.draw(w, "control/inbox", "Practice phone", data)
}
