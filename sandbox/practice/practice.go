// Package practice serves practice sites of utilities, for trying, demonstrating and testing. They keep the ids, the page
// order and the answers known of the real sites, under a look of our own, and listen on loopback only.
//
// The user name of an account decides what happens to it; see [Kind].
package practice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Options of a practice server. The zero value of each means the usual one.
type Options struct {
	// Addr to listen on, host:port, of a loopback address; 127.0.0.1:0 if empty.
	Addr string
	Log  *zap.Logger
	// FormDelay is how late pages draw their forms: between 0.6 and 1.6 times this; 250 ms.
	FormDelay time.Duration
	// SlowDelay is how late everything is for a slow account; 4 s.
	SlowDelay time.Duration
	// EndsAfter is how long after its code was sent the session of an ends account ends; 8 s.
	EndsAfter time.Duration
	// ResendAfter is how long a site waits before it sends another code the same way; 5 s.
	ResendAfter time.Duration
	// CodeLifetime is how long a code is good; 10 min.
	CodeLifetime time.Duration
}

func (o Options) withDefaults() Options {
	usual := func(value *time.Duration, otherwise time.Duration) {
		if *value == 0 {
			*value = otherwise
		}
	}
	usual(&o.FormDelay, 250*time.Millisecond)
	usual(&o.SlowDelay, 4*time.Second)
	usual(&o.EndsAfter, 8*time.Second)
	usual(&o.ResendAfter, 5*time.Second)
	usual(&o.CodeLifetime, 10*time.Minute)
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}

// formDelay draws one delay between 0.6 and 1.6 times FormDelay.
func (o Options) formDelay() time.Duration {
	return o.FormDelay * time.Duration(600+randomBelow(1000)) / 1000 //nolint:gosec // below 1600
}

// Server is a running set of practice sites.
type Server struct {
	http   *http.Server
	port   int
	sites  []*site
	served chan error
	log    *zap.Logger
}

// Start listens and serves until Close. The context bounds the start alone. It refuses every address but a loopback one.
func Start(ctx context.Context, opts Options) (*Server, error) {
	opts = opts.withDefaults()
	if err := loopbackOnly(opts.Addr); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening for practice sites: %w", err)
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the address listened on: %w", err), listener.Close())
	}
	s := &Server{port: int(address.Port()), served: make(chan error, 1), log: opts.Log}
	handler, err := s.assemble(opts)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.http = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		s.served <- s.http.Serve(listener)
		close(s.served) // closing twice is closing
	}()
	s.log.Info("practice sites are up", zap.String("address", s.URL()))
	return s, nil
}

// loopbackOnly tells what is wrong with an address that others could reach.
func loopbackOnly(addr string) error {
	hostname, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("reading the address to listen on: %w", err)
	}
	if ip := net.ParseIP(hostname); hostname == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("practice sites listen on this machine only: %q is not a loopback address; use 127.0.0.1:PORT", addr)
}

// URL is the address of the front page and of the control endpoints, http://127.0.0.1:PORT.
func (s *Server) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

// Origins pairs each real origin with the practice origin that stands for it.
func (s *Server) Origins() map[string]string {
	pairs := map[string]string{}
	for _, site := range s.sites {
		for _, h := range site.hosts {
			pairs[h.real] = site.origin(h.label)
		}
	}
	return pairs
}

// Close stops serving. Requests under way have until the context ends.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("closing the practice sites: %w", err)
	}
	return nil
}

// assemble makes the one handler that tells the hosts apart.
func (s *Server) assemble(opts Options) (http.Handler, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	static, err := assets()
	if err != nil {
		return nil, err
	}
	system := newCustomerSystem(opts)
	byHost := map[string]http.Handler{}
	for _, u := range utilities() {
		here := &site{utility: u, system: system, pages: pages, log: opts.Log, port: s.port}
		s.sites = append(s.sites, here)
		for label, handler := range here.handlers(here) {
			byHost[host{label: label}.name(u)] = here.hostHandler(static, handler)
		}
	}
	control := (&control{system: system, pages: pages, log: opts.Log, server: s}).handler(static)
	byHost["127.0.0.1"], byHost["localhost"], byHost["[::1]"] = control, control, control
	return byName(byHost), nil
}

// byName serves each host name with its own handler. A name that is not ours gets nothing, so that no page from
// elsewhere can reach a practice site under a name of its own.
func byName(hosts map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "]") {
			name = name[:i]
		}
		handler, known := hosts[strings.ToLower(name)]
		if !known {
			http.Error(w, "no practice site is called "+name, http.StatusMisdirectedRequest)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// hostHandler stands before every host of a site: its assets and its outages.
func (s *site) hostHandler(static, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /practice/assets/", static)
	mux.HandleFunc("/practice/security", s.mfaSettings)
	s.routeInterstitials(mux)
	mux.Handle("/", pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.system.isDown(s.utility) && !strings.HasPrefix(r.URL.Path, "/practice/assets/") {
			s.maintenance(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func utilities() []*utility {
	return append(exelon(), coned(), demo(), eversource(), heco(), pseg(), sce(), sdge())
}
