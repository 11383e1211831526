package dashboard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/httprate"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
)

const (
	signInPath  = "/dashboard/sign-in"
	accountPath = "/dashboard/account"

	// sessionLifetime is how long somebody who does nothing stays signed in.
	sessionLifetime = 12 * time.Hour
	// sessionRenewal is how old a session's last renewal may be before a page renews it.
	sessionRenewal = 10 * time.Minute

	// A person who mistypes tries a few times, a program tries thousands of times. Attempts count by the account they go
	// for and by the address they come from, so that neither many machines nor many accounts help a guesser. An office
	// may share one address.
	accountAttempts = 10
	accountWindow   = 10 * time.Minute
	addressAttempts = 40
	addressWindow   = time.Minute

	minPassword = 10
	maxPassword = 200
)

// person is who is signed in.
type person struct {
	store.User
	requester store.Requester
	token     string
}

// personView is what the frame shows of a person.
type personView struct{ Name, Requester string }

func (p person) view() *personView {
	v := &personView{Name: p.Name, Requester: p.requester.Name}
	if v.Name == "" {
		v.Name = p.Email
	}
	return v
}

// handler answers somebody who is signed in. What it returns as an error becomes a page.
type handler func(w http.ResponseWriter, r *http.Request, p person) error

func (h *dashboard) routeSessions(mux *http.ServeMux) {
	mux.HandleFunc("GET "+signInPath, h.askSignIn)
	byAddress := httprate.LimitBy(addressAttempts, addressWindow, address, httprate.WithLimitHandler(h.tooMany))
	byAccount := httprate.LimitBy(accountAttempts, accountWindow, account, httprate.WithLimitHandler(h.tooMany))
	mux.Handle("POST "+signInPath, byAddress(byAccount(http.HandlerFunc(h.signIn))))
	mux.HandleFunc("POST /dashboard/sign-out", h.signOut)
	mux.Handle("GET "+accountPath, h.signedIn(h.showAccount))
	mux.Handle("POST "+accountPath, byAddress(h.signedIn(h.changePassword)))
}

// account is the account that a sign-in goes for.
func account(r *http.Request) (string, error) {
	return strings.ToLower(strings.TrimSpace(r.FormValue("email"))), nil
}

// address is where a sign-in comes from: a machine, or an IPv6 network.
func address(r *http.Request) (string, error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return httprate.CanonicalizeIP(host), err
}

// cookieName begins with __Host- where browsers honour it: such a cookie comes from this host, over https, and from
// nobody else.
func (h *dashboard) cookieName() string {
	if h.secure() {
		return "__Host-meterkey-session"
	}
	return "meterkey-session"
}

func (h *dashboard) secure() bool { return strings.HasPrefix(h.PortalURL, "https://") }

// setCookie gives the browser a session's token, with when it was given: renewal needs no more. An empty token takes it back.
func (h *dashboard) setCookie(w http.ResponseWriter, token string) {
	//nolint:gosec // secure() is false only for a portal that is reached over plain http
	cookie := &http.Cookie{Name: h.cookieName(), Path: "/", HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode}
	if token == "" {
		cookie.MaxAge = -1
	} else {
		cookie.Value = token + "." + strconv.FormatInt(time.Now().Unix(), 10)
		cookie.MaxAge = int(sessionLifetime.Seconds())
	}
	http.SetCookie(w, cookie)
}

// readCookie is the token that the browser sent and when it was last given; the time is only ever used to renew.
func (h *dashboard) readCookie(r *http.Request) (token string, given time.Time) {
	cookie, err := r.Cookie(h.cookieName())
	if err != nil {
		return "", time.Time{}
	}
	token, stamp, _ := strings.Cut(cookie.Value, ".")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return token, time.Time{}
	}
	return token, time.Unix(seconds, 0)
}

// signedIn lets those in who are signed in, and sends others to sign in.
func (h *dashboard) signedIn(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := h.whoIs(r)
		if errors.Is(err, store.ErrNotFound) {
			h.sendToSignIn(w, r)
			return
		}
		if err != nil {
			h.problem(w, r, nil, err)
			return
		}
		h.renew(w, r, p)
		if err := next(w, r, p); err != nil {
			h.problem(w, r, &p, err)
		}
	})
}

// whoIs finds who is signed in. store.ErrNotFound: nobody.
func (h *dashboard) whoIs(r *http.Request) (person, error) {
	token, _ := h.readCookie(r)
	if token == "" {
		return person{}, store.ErrNotFound
	}
	user, err := h.Store.SessionUser(r.Context(), token)
	if err != nil {
		return person{}, err
	}
	requester, err := h.Store.Requester(r.Context(), user.RequesterUID)
	return person{user, requester, token}, err
}

// renew lets a session that is used last on. A page that cannot renew it is shown all the same.
func (h *dashboard) renew(w http.ResponseWriter, r *http.Request, p person) {
	if _, given := h.readCookie(r); time.Since(given) < sessionRenewal {
		return
	}
	if err := h.Store.KeepSession(r.Context(), p.token, sessionLifetime); err != nil {
		h.Log.Warn("dashboard: renewing a session", zap.Error(err))
		return
	}
	h.setCookie(w, p.token)
}

func (h *dashboard) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") == "true" { // a redirect would end up inside the page
		w.Header().Set("HX-Redirect", signInPath)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	page := signInPath
	if r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/live") {
		page += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// signInPage is what the sign-in page shows.
type signInPage struct {
	Mistake, Next string
	Fields        []field
}

func (h *dashboard) askSignIn(w http.ResponseWriter, r *http.Request) {
	if _, err := h.whoIs(r); err == nil {
		http.Redirect(w, r, listPath, http.StatusSeeOther)
		return
	}
	h.showSignIn(w, r, http.StatusOK, "")
}

func (h *dashboard) showSignIn(w http.ResponseWriter, r *http.Request, status int, mistake string) {
	body := signInPage{Mistake: mistake, Next: ours(r.FormValue("next")), Fields: []field{
		{ID: "email", Label: "E-mail", Type: "email", Value: r.PostFormValue("email"), Autocomplete: "username", Required: true},
		{ID: "password", Label: "Password", Type: "password", Autocomplete: "current-password", Required: true},
	}}
	if err := h.write(w, r, nil, page{name: "sign-in", title: "Sign in", class: "dashboard", status: status, body: body}); err != nil {
		h.problem(w, r, nil, err)
	}
}

// ours is the page to go on to, or nothing if it is none of the dashboard's.
func ours(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, Prefix) || strings.Contains(next, "\\") {
		return ""
	}
	return next
}

func (h *dashboard) tooMany(w http.ResponseWriter, r *http.Request) {
	h.showSignIn(w, r, http.StatusTooManyRequests, "There were too many attempts. Wait a few minutes, then try again.")
}

// signIn starts a session under a new token, whatever token the browser had before.
func (h *dashboard) signIn(w http.ResponseWriter, r *http.Request) {
	user, err := h.checkPassword(r.Context(), r.PostFormValue("email"), r.PostFormValue("password"))
	if errors.Is(err, store.ErrWrongPassword) {
		h.showSignIn(w, r, http.StatusUnauthorized, "This e-mail address and password do not belong together. Check both and try again.")
		return
	}
	var token string
	if err == nil {
		token, err = h.Store.StartSession(r.Context(), user.UID, sessionLifetime)
	}
	if err != nil {
		h.problem(w, r, nil, err)
		return
	}
	if before, _ := h.readCookie(r); before != "" {
		if err := h.Store.EndSession(r.Context(), before); err != nil {
			h.Log.Warn("dashboard: ending the session before", zap.Error(err))
		}
	}
	h.setCookie(w, token)
	next := ours(r.PostFormValue("next"))
	if next == "" {
		next = listPath
	}
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // see ours
}

// checkPassword spares the work of hashing what no password can be.
func (h *dashboard) checkPassword(ctx context.Context, email, password string) (store.User, error) {
	if len(password) > maxPassword {
		return store.User{}, store.ErrWrongPassword
	}
	return h.Store.CheckPassword(ctx, strings.TrimSpace(email), password)
}

func (h *dashboard) signOut(w http.ResponseWriter, r *http.Request) {
	if token, _ := h.readCookie(r); token != "" {
		if err := h.Store.EndSession(r.Context(), token); err != nil {
			h.problem(w, r, nil, err)
			return
		}
	}
	h.setCookie(w, "")
	http.Redirect(w, r, signInPath, http.StatusSeeOther)
}

// accountPage is what the account's page shows.
type accountPage struct {
	Email, Requester string
	Fields           []field
}

func (h *dashboard) showAccount(w http.ResponseWriter, r *http.Request, p person) error {
	return h.writeAccount(w, r, p, http.StatusOK, "", "")
}

func (h *dashboard) writeAccount(w http.ResponseWriter, r *http.Request, p person, status int, wrongOld, wrongNew string) error {
	return h.write(w, r, &p, page{name: "account", title: "Your account", status: status, body: accountPage{
		Email: p.Email, Requester: p.requester.Name, Fields: []field{
			{ID: "old", Label: "Present password", Type: "password", Autocomplete: "current-password", Required: true, Mistake: wrongOld},
			{ID: "new", Label: "New password", Hint: "At least 10 characters; a sentence is good.", Type: "password",
				Autocomplete: "new-password", Required: true, Max: maxPassword, Mistake: wrongNew},
		},
	}})
}

func (h *dashboard) changePassword(w http.ResponseWriter, r *http.Request, p person) error {
	fresh := r.PostFormValue("new")
	if _, err := h.checkPassword(r.Context(), p.Email, r.PostFormValue("old")); errors.Is(err, store.ErrWrongPassword) {
		return h.writeAccount(w, r, p, http.StatusUnprocessableEntity, "This is not your present password.", "")
	} else if err != nil {
		return err
	}
	switch {
	case len([]rune(fresh)) < minPassword:
		return h.writeAccount(w, r, p, http.StatusUnprocessableEntity, "", "Choose one of at least 10 characters.")
	case len(fresh) > maxPassword:
		return h.writeAccount(w, r, p, http.StatusUnprocessableEntity, "", "Choose one of at most 200 characters.")
	}
	if err := h.Store.SetPassword(r.Context(), p.Email, fresh); err != nil {
		return err
	}
	token, err := h.Store.StartSession(r.Context(), p.UID, sessionLifetime)
	if err != nil {
		return err
	}
	h.setCookie(w, token)
	done(w, r, accountPath, "password")
	return nil
}
