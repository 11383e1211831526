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
	shape   shape
	hosts   []host
	// build makes the handlers of the site's hosts, by label.
	build func(*site) map[string]http.Handler
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
	desk  *desk
	pages *pages
	log   *zap.Logger
	port  int
}

// origin gives the practice origin of one of the site's hosts.
func (s *site) origin(label string) string {
	return "http://" + host{label: label}.name(s.utility) + ":" + strconv.Itoa(s.port)
}

const sessionCookie = "practice_session"

// session gives the name of the browser session on this host, and begins one if there is none.
func (s *site) session(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(sessionCookie); err == nil && c.Value != "" {
		return c.Value
	}
	token := rand.Text()
	s.setCookie(w, sessionCookie, token)
	return token
}

// setCookie sets a cookie that lives as long as the browser session.
func (s *site) setCookie(w http.ResponseWriter, name, value string) {
	// Practice sites speak plain HTTP on loopback, so no cookie can be marked secure.
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // see above
}

// visit gives the visit of the request's browser session, or nil.
func (s *site) visit(r *http.Request) *visit {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	return s.own(s.desk.visit(c.Value))
}

// own gives the visit if it is one of this utility's customer, else nil.
func (s *site) own(v *visit) *visit {
	if v == nil || v.account.utility != s.utility {
		return nil
	}
	return v
}

// inside gives the visit of a signed-in browser session, or nil.
func (s *site) inside(r *http.Request) *visit {
	if v := s.visit(r); s.desk.look(v).is == inside {
		return v
	}
	return nil
}

// call is one request of a page, with the visit of its browser session, if there is one.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	visit *visit
}

func (s *site) call(w http.ResponseWriter, r *http.Request) *call { return &call{w, r, s.visit(r)} }

var errSiteBroken = errors.New("the site is down")

// login decides on a login typed in this browser session. A slow account is told late; a broken site is an error.
func (s *site) login(c *call, user, password string) (verdict, error) {
	var said verdict
	said, c.visit = s.desk.login(s.session(c.w, c.r), s.utility, user, password)
	s.log.Info("login", zap.String("utility", s.id), zap.String("verdict", string(said)))
	if said == siteBroken {
		return said, errSiteBroken
	}
	return said, s.dawdle(c.r.Context(), c.visit)
}

// submit decides on a code or an answer. A browser session without a visit has ended.
func (s *site) submit(c *call, code string) (outcome, error) {
	if c.visit == nil {
		return ended, nil
	}
	if err := s.dawdle(c.r.Context(), c.visit); err != nil {
		return ended, err
	}
	return s.desk.submit(c.visit, code), nil
}

// service answers a request of a page's own with JSON.
func (s *site) service(answer func(*call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		body, err := answer(c)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.reply(w, c.visit, body)
	}
}

// takes is a service to which the page sends JSON.
func takes[F, A any](s *site, answer func(*call, F) (A, error)) http.HandlerFunc {
	return s.service(func(c *call) (any, error) {
		var form F
		if err := readJSON(c.w, c.r, &form); err != nil {
			return nil, err
		}
		return answer(c, form)
	})
}

// dawdle makes a slow account wait for its answer.
func (s *site) dawdle(ctx context.Context, v *visit) error {
	if !s.desk.look(v).slow {
		return nil
	}
	wait := time.NewTimer(s.desk.opts.SlowDelay)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("answering a slow account: %w", ctx.Err())
	}
}

// join makes this host's browser session part of the visit behind the request's ticket, or gives nil.
func (s *site) join(w http.ResponseWriter, r *http.Request) *visit {
	ticket := r.FormValue("ticket")
	if s.own(s.desk.bearer(ticket)) == nil {
		return nil
	}
	return s.desk.join(s.session(w, r), ticket)
}

// late tells how late, in milliseconds, the page draws itself for this visit.
func (s *site) late(v *visit) int64 {
	if s.desk.look(v).slow {
		return s.desk.opts.SlowDelay.Milliseconds()
	}
	return s.desk.opts.formDelay().Milliseconds()
}

// hints tell the page how late to draw the next form and when the session will end.
func (s *site) hints(w http.ResponseWriter, v *visit) {
	if v == nil {
		return
	}
	look := s.desk.look(v)
	w.Header().Set("Practice-Late", strconv.FormatInt(s.late(v), 10))
	if look.endsIn > 0 {
		w.Header().Set("Practice-Ends", strconv.FormatInt(look.endsIn.Milliseconds()+1, 10))
	}
}

// reply answers a page's own request with JSON.
func (s *site) reply(w http.ResponseWriter, v *visit, body any) {
	s.hints(w, v)
	writeJSON(w, http.StatusOK, body)
}

// show draws a page.
func (s *site) show(w http.ResponseWriter, r *http.Request, page, title string, data any) {
	s.showAs(w, r, http.StatusOK, page, title, data)
}

func (s *site) showAs(w http.ResponseWriter, r *http.Request, status int, page, title string, data any) {
	v := s.visit(r)
	s.hints(w, v)
	err := s.pages.write(w, status, page, view{
		Site: s.id, Name: s.name, Title: title, Late: s.late(v), Ends: w.Header().Get("Practice-Ends"),
		SignedIn: s.inside(r) != nil, Data: data,
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
func (s *site) needSignIn(login string, page func(http.ResponseWriter, *http.Request, *visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.inside(r)
		if v == nil {
			http.Redirect(w, r, login, http.StatusFound)
			return
		}
		page(w, r, v)
	}
}

// needBearer wraps a JSON service for the holders of a token.
func (s *site) needBearer(serve func(http.ResponseWriter, *http.Request, *visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		v := s.own(s.desk.bearer(token))
		if !found || s.desk.look(v).is != inside {
			writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "a bearer token of a signed-in session is needed"})
			return
		}
		serve(w, r, v)
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

// numberOf reads a whole number of at least one from the query.
func numberOf(query url.Values, key string, otherwise int) int {
	if n, err := strconv.Atoi(query.Get(key)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// sheet is one page of a list. Number counts from 1.
type sheet[T any] struct {
	Rows                      []T
	Number, Pages, Total, Per int
}

// cut takes one page of the list.
func cut[T any](list []T, number, per int) sheet[T] {
	pages := max(1, (len(list)+per-1)/per)
	number = min(max(1, number), pages)
	first := min((number-1)*per, len(list))
	return sheet[T]{list[first:min(first+per, len(list))], number, pages, len(list), per}
}

// Next gives the number of the next page, or 0.
func (p sheet[T]) Next() int {
	if p.Number < p.Pages {
		return p.Number + 1
	}
	return 0
}

// Previous gives the number of the page before, or 0.
func (p sheet[T]) Previous() int { return p.Number - 1 }
