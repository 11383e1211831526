package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey/workflows"
)

// Request is a data request (the API calls it a form): what the requester asked, and where it stands as its workflow
// last said.
type Request struct {
	bun.BaseModel `bun:"table:requests,alias:request"`

	// UID is workflows.Request.RequestID.
	UID          string `bun:"uid,pk"`
	RequesterUID string
	TemplateUID  string
	// AuthorizationUID is the authorization that this request led to or is to renew; empty before there is one.
	AuthorizationUID string
	// Utility is the one the requester asked for; empty: the customer chooses.
	Utility       string
	CustomerEmail string
	CustomerName  string
	// Nickname is the requester's own name for the request.
	Nickname   string
	Scope      Scope `bun:"type:text"`
	IsArchived bool
	// Disabled: the requester closed it to the customer.
	Disabled bool
	IsTest   bool
	Created  time.Time
	// Updated is when anything of this last changed.
	Updated time.Time

	// What follows is projected from the workflow, see workflows.State. Status is empty until the first projection.

	// ChosenUtility is where the customer signs in: Utility, or the customer's choice; empty before it is known.
	ChosenUtility string
	Status        workflows.Status
	Reason        workflows.Reason
	WaitingOn     workflows.WaitingOn
	Since         time.Time
	Until         *time.Time
	Message       string
	Challenge     *workflows.Challenge `bun:"type:text"`
	Timeline      []workflows.Moment   `bun:"type:text"`
	Version       int
	RunID         string
	// LinkedAt is when the customer's present link was sent.
	LinkedAt time.Time
	// SignedIn: the customer has signed in since the request was started or revived.
	SignedIn bool
	// Meters is how many meters the customer's account has; 0 until connected.
	Meters int

	// Milestones: when each was first reached.
	SentAt      *time.Time
	OpenedAt    *time.Time
	SignedInAt  *time.Time
	CodeAskedAt *time.Time
	ConnectedAt *time.Time
	// EndedAt is when it ended, nil while it goes on.
	EndedAt *time.Time

	Consent *Consent `bun:"type:text"`
	// Deleted requests are found by no method; what remains of them holds no personal data.
	Deleted *time.Time
}

// Scope bounds what the customer is asked for. Both are RFC 3339 times, or a preset such as "until_revoked".
type Scope struct {
	Expires    string `json:"expires,omitempty"`
	OngoingEnd string `json:"ongoing_end,omitempty"`
}

// Consent is what the customer agreed to.
type Consent struct {
	At time.Time `json:"at"`
	// Language is the language the text was shown in, such as "es".
	Language string `json:"language"`
	// Text is the version of the text that was agreed to.
	Text string `json:"text"`
	// FullName is the customer's name as the customer wrote it, if asked.
	FullName string `json:"full_name,omitempty"`
}

// RequestChange is what a requester may change; nil fields stay as they are.
type RequestChange struct {
	Nickname, CustomerEmail, CustomerName, Utility *string
	Scope                                          *Scope
	IsArchived, Disabled                           *bool
}

// CreateRequest stores a request before its workflow is started. RequesterUID must be there; an empty UID gets one. The
// projected fields are ignored. ErrConflict when the uid is taken, ErrNotFound without such a requester, or without the
// authorization that AuthorizationUID is to renew. News: form_created.
func (s *Store) CreateRequest(ctx context.Context, r Request) (Request, News, error) {
	return Request{}, News{}, errors.ErrUnsupported
}

// UpdateRequest changes what the requester owns. ErrNotFound.
func (s *Store) UpdateRequest(ctx context.Context, requesterUID, uid string, change RequestChange) (Request, error) {
	return Request{}, errors.ErrUnsupported
}

// DeleteRequest removes a request from every list and erases what it knew of the customer. Its authorization stays, and
// later projections of it change nothing. Cancel its workflow first. ErrNotFound.
func (s *Store) DeleteRequest(ctx context.Context, requesterUID, uid string) error {
	return errors.ErrUnsupported
}

// Request reads one of a requester's requests. ErrNotFound.
func (s *Store) Request(ctx context.Context, requesterUID, uid string) (Request, error) {
	return Request{}, errors.ErrUnsupported
}

// RequestByID reads a request whoever asked: for the customer's pages. ErrNotFound.
func (s *Store) RequestByID(ctx context.Context, uid string) (Request, error) {
	return Request{}, errors.ErrUnsupported
}

// MarkOpened notes that the customer opened the link, the first time. ErrNotFound.
func (s *Store) MarkOpened(ctx context.Context, uid string) error {
	return errors.ErrUnsupported
}

// SetConsent keeps what the customer agreed to. ErrNotFound.
func (s *Store) SetConsent(ctx context.Context, uid string, c Consent) error {
	return errors.ErrUnsupported
}
