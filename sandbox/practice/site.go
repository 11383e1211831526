package practice

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// utility is what makes one practice site different from the others.
type utility struct {
	id      string
	name    string
	entry   string // the real address of its login page
	kinds   []Kind
	methods []method // the ways to get a code; the first is the usual one
	meters  meterGenerator
	hosts   []host
	// build makes the handlers of the site's hosts, by label.
	handlers func(*site) map[string]http.Handler
}

func (u *utility) can(k Kind) bool { return slices.Contains(u.kinds, k) }

// method is one way in which a utility sends codes.
type method struct {
	id    string // what the site calls it
	by    string // sms, call or email
	phone int    // which of the customer's phones
}

// host is one host of a real site and the host that stands for it here: <label>.<id>.localhost.
type host struct {
	label string // empty for the main one
	real  string // the real origin
}

func (h host) name(u *utility) string {
	return strings.TrimPrefix(h.label+"."+strings.ToLower(u.id)+".localhost", ".")
}

// site is a running practice site of one utility.
type site struct {
	*utility
	system *customerSystem
	pages  *pages
	log    *zap.Logger
	port   int
}

// origin gives the practice origin of one of the site's hosts.
func (s *site) origin(label string) string {
	return "http://" + host{label: label}.name(s.utility) + ":" + strconv.Itoa(s.port)
}

const sessionCookieName = "practice_session"

// ensureCookie gives the cookie by which this host knows the browser, and sets one if there is none.
func (s *site) ensureCookie(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(sessionCookieName); err == nil && c.Value != "" {
		return c.Value
	}
	token := rand.Text()
	s.setCookie(w, sessionCookieName, token)
	return token
}

// setCookie sets a cookie that lives as long as the browser session.
func (s *site) setCookie(w http.ResponseWriter, name, value string) {
	// Practice sites speak plain HTTP on loopback, so no cookie can be marked secure.
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // see above
}

// session gives the session that the request's cookie stands for, or nil.
func (s *site) session(r *http.Request) *session {
	c, err := r.Cookie(sessionCookieName)
	if err != nil {
		return nil
	}
	return s.own(s.system.sessionOf(c.Value))
}

// own gives the session if it is one of this utility's customer, else nil.
func (s *site) own(sess *session) *session {
	if sess == nil || sess.account.utility != s.utility {
		return nil
	}
	return sess
}

// signedInSession gives the session that the request's cookie stands for if it is signed in, else nil.
func (s *site) signedInSession(r *http.Request) *session {
	if sess := s.session(r); s.system.snapshot(sess).state == signedIn {
		return sess
	}
	return nil
}

// exchange is one request of a page and its answer, with the session it belongs to, if there is one.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	session *session
}

func (s *site) newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	return &exchange{w, r, s.session(r)}
}

var errSiteBroken = errors.New("the site is down")

// login decides on a login typed on this host. A slow account is told late; a broken site is an error.
func (s *site) login(x *exchange, user, password string) (loginResult, error) {
	var result loginResult
	result, x.session = s.system.login(s.ensureCookie(x.w, x.r), s.utility, user, password)
	s.log.Info("login", zap.String("utility", s.id), zap.String("result", string(result)))
	if result == siteBroken {
		return result, errSiteBroken
	}
	return result, s.delayIfSlow(x.r.Context(), x.session)
}

// submitCode decides on a code or an answer. Without a session, it has ended.
func (s *site) submitCode(x *exchange, code string) (codeResult, error) {
	if x.session == nil {
		return sessionEnded, nil
	}
	if err := s.delayIfSlow(x.r.Context(), x.session); err != nil {
		return sessionEnded, err
	}
	return s.system.submitCode(x.session, code), nil
}

// jsonHandler answers a request of a page's own with JSON.
func (s *site) jsonHandler(answer func(*exchange) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.newExchange(w, r)
		body, err := answer(x)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.reply(w, x.session, body)
	}
}

// jsonBodyHandler is a jsonHandler to which the page sends JSON.
func jsonBodyHandler[F, A any](s *site, answer func(*exchange, F) (A, error)) http.HandlerFunc {
	return s.jsonHandler(func(x *exchange) (any, error) {
		var form F
		if err := readJSON(x.w, x.r, &form); err != nil {
			return nil, err
		}
		return answer(x, form)
	})
}

// delayIfSlow makes a slow account wait for its answer.
func (s *site) delayIfSlow(ctx context.Context, sess *session) error {
	if !s.system.snapshot(sess).slow {
		return nil
	}
	wait := time.NewTimer(s.system.opts.SlowDelay)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("answering a slow account: %w", ctx.Err())
	}
}

// join lets this host's cookie stand for the session behind the request's ticket, or gives nil.
func (s *site) join(w http.ResponseWriter, r *http.Request) *session {
	ticket := r.FormValue("ticket")
	if s.own(s.system.ticketSession(ticket)) == nil {
		return nil
	}
	return s.system.join(s.ensureCookie(w, r), ticket)
}

// drawDelay tells how late, in milliseconds, the page draws itself for this session.
func (s *site) drawDelay(sess *session) int64 {
	if s.system.snapshot(sess).slow {
		return s.system.opts.SlowDelay.Milliseconds()
	}
	return s.system.opts.formDelay().Milliseconds()
}

// setTimingHeaders tells the page how late to draw the next form and when the session will end.
func (s *site) setTimingHeaders(w http.ResponseWriter, sess *session) {
	if sess == nil {
		return
	}
	snap := s.system.snapshot(sess)
	w.Header().Set("Practice-Late", strconv.FormatInt(s.drawDelay(sess), 10))
	if snap.endsIn > 0 {
		w.Header().Set("Practice-Ends", strconv.FormatInt(snap.endsIn.Milliseconds()+1, 10))
	}
}

// reply answers a page's own request with JSON.
func (s *site) reply(w http.ResponseWriter, sess *session, body any) {
	s.setTimingHeaders(w, sess)
	writeJSON(w, http.StatusOK, body)
}

// show draws a page.
func (s *site) show(w http.ResponseWriter, r *http.Request, page, title string, data any) {
	s.showAs(w, r, http.StatusOK, page, title, data)
}

func (s *site) showAs(w http.ResponseWriter, r *http.Request, status int, page, title string, data any) {
	sess := s.session(r)
	s.setTimingHeaders(w, sess)
	err := s.pages.write(w, status, page, view{
		Site: s.id, Name: s.name, Title: title, Late: s.drawDelay(sess), Ends: w.Header().Get("Practice-Ends"),
		SignedIn: s.signedInSession(r) != nil, Data: data,
	})
	if err != nil {
		s.log.Error("drawing a page", zap.String("page", page), zap.Error(err))
	}
}

// maintenance answers as a site that is down.
func (s *site) maintenance(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "60")
	s.showAs(w, r, http.StatusServiceUnavailable, "common/maintenance", "Down for maintenance", nil)
}

// fail answers a request that could not be served.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errSiteBroken) {
		s.maintenance(w, r)
		return
	}
	status := http.StatusInternalServerError
	if errors.Is(err, errBadRequest) {
		status = http.StatusBadRequest
	}
	http.Error(w, err.Error(), status)
}

// needSignIn wraps a page that only signed-in sessions see; others are sent to the login page.
func (s *site) needSignIn(login string, page func(http.ResponseWriter, *http.Request, *session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sess := s.signedInSession(r)
		if sess == nil {
			http.Redirect(w, r, login, http.StatusFound)
			return
		}
		page(w, r, sess)
	}
}

// needBearer wraps a JSON service for the holders of a token.
func (s *site) needBearer(serve func(http.ResponseWriter, *http.Request, *session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sess := s.own(s.system.ticketSession(token))
		if !found || s.system.snapshot(sess).state != signedIn {
			writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "a bearer token of a signed-in session is needed"})
			return
		}
		serve(w, r, sess)
	}
}

var errBadRequest = errors.New("bad request")

// maxBody bounds what a page may send.
const maxBody = 64 << 10

func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		return fmt.Errorf("%w: reading JSON: %w", errBadRequest, err)
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The other side may be gone; there is nobody left to tell.
	_, _ = w.Write(append(raw, '\n'))
}

// queryInt reads a whole number of at least one from the query.
func queryInt(query url.Values, key string, otherwise int) int {
	if n, err := strconv.Atoi(query.Get(key)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// resultPage is one page of a list. Number counts from 1.
type resultPage[T any] struct {
	Rows                      []T
	Number, Pages, Total, Per int
}

// paginate takes one page of the list.
func paginate[T any](list []T, number, per int) resultPage[T] {
	pages := max(1, (len(list)+per-1)/per)
	number = min(max(1, number), pages)
	first := min((number-1)*per, len(list))
	return resultPage[T]{list[first:min(first+per, len(list))], number, pages, len(list), per}
}

// Next gives the number of the next page, or 0.
func (p resultPage[T]) Next() int {
	if p.Number < p.Pages {
		return p.Number + 1
	}
	return 0
}

// Previous gives the number of the page before, or 0.
func (p resultPage[T]) Previous() int { return p.Number - 1 }
