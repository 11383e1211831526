package devenv

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/meterkey/meterkey/internal/store"
)

const (
	// RequesterUID is the requester that Access gives a key and a user.
	RequesterUID = "acme-solar"
	// RequesterEmail is what its user signs in to the dashboard with.
	RequesterEmail = "pat@acme.example"
	// RequesterPassword is that user's password.
	RequesterPassword = "practice-practice"
)

// Access is what a requester needs to use the portal.
type Access struct {
	// PortalURL is where the portal is.
	PortalURL string
	// Key is an API key.
	Key string
	// Email and Password sign in to the dashboard.
	Email, Password string
}

// PortalURL is where the portal is, once started.
func (s *Environment) PortalURL() string { return "http://" + s.portalAddress }

// DatabaseFile is the SQLite file that workers and the portal share.
func (s *Environment) DatabaseFile() string { return s.file("meterkey.db") }

// StartPortal starts the portal process and returns once it is ready. It takes its address from the first start on.
func (s *Environment) StartPortal(ctx context.Context) (*Process, error) {
	p, err := Start(Command{Path: filepath.Join(s.options.Bin, "portal"), Env: s.Env(), Log: s.file("portal.log")})
	if err != nil {
		return nil, err
	}
	s.portals = append(s.portals, p)
	return p, p.waitFor(ctx, "portal ready")
}

// Grant makes sure of the practice requester, its user and a new API key.
func (s *Environment) Grant(ctx context.Context) (Access, error) {
	db, err := store.Open(ctx, store.Options{File: s.DatabaseFile()})
	if err != nil {
		return Access{}, fmt.Errorf("opening the environment's database: %w", err)
	}
	defer db.Close() //nolint:errcheck // all that was written is committed
	if _, err := db.PutRequester(ctx, store.Requester{UID: RequesterUID, Name: "Acme Solar", Email: RequesterEmail}); err != nil {
		return Access{}, fmt.Errorf("adding the practice requester: %w", err)
	}
	users, err := db.Users(ctx, RequesterUID)
	if err == nil && len(users) == 0 {
		_, err = db.AddUser(ctx, store.User{RequesterUID: RequesterUID, Email: RequesterEmail, Name: "Pat"}, RequesterPassword)
	}
	if err != nil {
		return Access{}, fmt.Errorf("adding the practice requester's user: %w", err)
	}
	_, key, err := db.AddKey(ctx, RequesterUID, "practice", nil)
	if err != nil {
		return Access{}, fmt.Errorf("adding the practice requester's key: %w", err)
	}
	return Access{PortalURL: s.PortalURL(), Key: key, Email: RequesterEmail, Password: RequesterPassword}, nil
}

// Call asks the API, as the requester's backend does. Body and into are JSON documents; either may be nil.
func (a Access) Call(ctx context.Context, method, path string, body, into any) error {
	return call(ctx, method, a.PortalURL+"/api/v2"+path, http.Header{"Authorization": {"Bearer " + a.Key}}, body, into)
}
