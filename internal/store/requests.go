package store

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// Request is a data request (the API calls it a form): what the requester asked, and where it stands as its workflow
// last said.
type Request struct {
	bun.BaseModel `bun:"table:requests,alias:request"`

	// UID is meterkey.Request.RequestID.
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

	// What follows is projected from the workflow, see meterkey.State. Before the first projection it awaits the
	// customer's login.

	// ChosenUtility is where the customer signs in: Utility, or the customer's choice; empty before it is known.
	ChosenUtility string
	Status        meterkey.Status
	Reason        meterkey.Reason
	WaitingOn     meterkey.WaitingOn
	Since         time.Time
	Until         *time.Time
	Message       string
	Challenge     *meterkey.Challenge `bun:"type:text"`
	Timeline      []meterkey.Moment   `bun:"type:text"`
	Revision      int
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
	// LinkedAt is when the link was sent under which the customer agreed: a link that replaces it asks anew.
	LinkedAt time.Time `json:"linked_at,omitzero"`
	// FullName is the customer's name as the customer wrote it, if asked.
	FullName string `json:"full_name,omitempty"`
}

// RequestChange is what a requester may change; nil fields stay as they are.
type RequestChange struct {
	Nickname, CustomerEmail, CustomerName, Utility *string
	Scope                                          *Scope
	IsArchived, Disabled, IsTest                   *bool
}

// CreateRequest stores a request before its workflow is started. RequesterUID must be there; an empty UID gets one. The
// projected fields are ignored. ErrConflict when the uid is taken, ErrNotFound without such a requester, or without the
// authorization that AuthorizationUID is to renew. Publishes form_created.
func (s *Store) CreateRequest(ctx context.Context, r Request) (Request, Published, error) {
	var published Published
	err := s.write(ctx, "creating request", func(ctx context.Context, tx bun.Tx) error {
		r = r.asCreated(s.now())
		if err := validUID(r.UID); err != nil {
			return err
		}
		if r.AuthorizationUID != "" {
			_, err := one[Authorization](ctx, tx, "finding the authorization to renew", owned(r.RequesterUID, r.AuthorizationUID))
			if err != nil {
				return err
			}
		}
		if err := addRequest(ctx, tx, &r); err != nil {
			return err
		}
		var err error
		published, err = s.publish(ctx, tx, r.RequesterUID,
			[]Event{{Type: EventFormCreated, FormUID: r.UID, AuthorizationUID: r.AuthorizationUID}})
		return err
	})
	return r, published, err
}

// UpdateRequest changes what the requester owns. ErrNotFound.
func (s *Store) UpdateRequest(ctx context.Context, requesterUID, uid string, change RequestChange) (Request, error) {
	var r Request
	err := s.write(ctx, "changing request", func(ctx context.Context, tx bun.Tx) (err error) {
		if r, err = s.holdRequest(ctx, tx, ofRequester(requesterUID, uid)); err != nil {
			return err
		}
		change.apply(&r)
		r.Updated = s.now()
		if err := save(ctx, tx, &r); err != nil {
			return err
		}
		return indexRequest(ctx, tx, r)
	})
	return r, err
}

// DeleteRequest removes a request from every list and erases what it knew of the customer. Its authorization stays, and
// later projections of it change nothing. Cancel its workflow first. ErrNotFound. Publishes, for the sweep of DueDeliveries:
// authorization_update_finished_errored, if the authorization was waiting for the request.
func (s *Store) DeleteRequest(ctx context.Context, requesterUID, uid string) error {
	return s.write(ctx, "deleting request", func(ctx context.Context, tx bun.Tx) error {
		r, err := s.holdRequest(ctx, tx, ofRequester(requesterUID, uid))
		if err != nil {
			return err
		}
		now := s.now()
		r.Deleted, r.Updated = &now, now
		r.CustomerEmail, r.CustomerName, r.Nickname, r.Consent, r.Challenge, r.Message = "", "", "", nil, nil, ""
		if err := save(ctx, tx, &r); err != nil {
			return err
		}
		if err := s.abandon(ctx, tx, r); err != nil {
			return err
		}
		if err := forgetPresences(ctx, tx, uid); err != nil {
			return err
		}
		return unindexRequest(ctx, tx, uid)
	})
}

// abandon ends what a deleted request's authorization was waiting for.
func (s *Store) abandon(ctx context.Context, tx bun.Tx, r Request) error {
	a, there, err := s.authorizationOf(ctx, tx, r)
	if err != nil || !there || a.FormUID != r.UID || a.Status != Pending {
		return err
	}
	row := mapStatus(meterkey.Canceled, "")
	a.setStatus(meterkey.State{Status: meterkey.Canceled, Since: r.Updated})
	if err := save(ctx, tx, &a); err != nil {
		return err
	}
	_, err = s.publish(ctx, tx, r.RequesterUID, []Event{a.event(row.event)})
	return err
}

// Request reads one of a requester's requests. ErrNotFound.
func (s *Store) Request(ctx context.Context, requesterUID, uid string) (Request, error) {
	return one[Request](ctx, s.db, "reading request", ofRequester(requesterUID, uid))
}

// RequestByID reads a request whoever asked: for the customer's pages. ErrNotFound.
func (s *Store) RequestByID(ctx context.Context, uid string) (Request, error) {
	return one[Request](ctx, s.db, "reading request", ofAnybody(uid))
}

// MarkOpened notes that the customer opened the link, the first time. ErrNotFound.
func (s *Store) MarkOpened(ctx context.Context, uid string) error {
	return s.write(ctx, "noting that the link was opened", func(ctx context.Context, tx bun.Tx) error {
		r, err := s.holdRequest(ctx, tx, ofAnybody(uid))
		if err != nil || r.OpenedAt != nil {
			return err
		}
		now := s.now()
		r.OpenedAt, r.Updated = &now, now
		return save(ctx, tx, &r)
	})
}

// SetConsent keeps what the customer agreed to. ErrNotFound.
func (s *Store) SetConsent(ctx context.Context, uid string, c Consent) error {
	return s.write(ctx, "keeping the consent", func(ctx context.Context, tx bun.Tx) error {
		r, err := s.holdRequest(ctx, tx, ofAnybody(uid))
		if err != nil {
			return err
		}
		c.At = exact(c.At)
		r.Consent, r.Updated = &c, s.now()
		return save(ctx, tx, &r)
	})
}

// sortKey is where lists have it.
func (r Request) sortKey() (time.Time, string) { return r.Created, r.UID }

// State is where the request stands, without its meters: the authorization has those.
func (r Request) State() meterkey.State {
	return meterkey.State{RequestID: r.UID, Requester: r.RequesterUID, Utility: r.ChosenUtility, Status: r.Status, Reason: r.Reason,
		WaitingOn: r.WaitingOn, Since: r.Since, Until: r.Until, Message: r.Message, Challenge: r.Challenge, Timeline: r.Timeline,
		LinkedAt: r.LinkedAt, Revision: r.Revision}
}

// WithState is the request at a newer state of its workflow; one that is not newer changes nothing.
func (r Request) WithState(s meterkey.State) Request {
	if !s.NewerThan(r.State()) {
		return r
	}
	if s.Utility != "" {
		r.ChosenUtility = s.Utility
	}
	r.Status, r.Reason, r.WaitingOn, r.Since, r.Until = s.Status, s.Reason, s.WaitingOn, exact(s.Since), exactly(s.Until)
	r.Message, r.Challenge, r.Timeline, r.LinkedAt, r.Revision = s.Message, s.Challenge, s.Timeline, exact(s.LinkedAt), s.Revision
	return r
}

// asCreated is the request as it stands before its workflow says anything.
func (r Request) asCreated(now time.Time) Request {
	return Request{
		UID: cmp.Or(r.UID, NewUID()), RequesterUID: r.RequesterUID, TemplateUID: r.TemplateUID,
		AuthorizationUID: r.AuthorizationUID, Utility: r.Utility, ChosenUtility: r.Utility, CustomerEmail: r.CustomerEmail,
		CustomerName: r.CustomerName, Nickname: r.Nickname, Scope: r.Scope, IsArchived: r.IsArchived, Disabled: r.Disabled,
		IsTest: r.IsTest, Created: now, Updated: now, Since: now,
		Status: meterkey.AwaitingLogin, WaitingOn: meterkey.Customer,
	}
}

func (c RequestChange) apply(r *Request) {
	set(&r.Nickname, c.Nickname)
	set(&r.CustomerEmail, c.CustomerEmail)
	set(&r.CustomerName, c.CustomerName)
	if c.Utility != nil && r.ChosenUtility == r.Utility {
		r.ChosenUtility = *c.Utility
	}
	set(&r.Utility, c.Utility)
	set(&r.Scope, c.Scope)
	set(&r.IsArchived, c.IsArchived)
	set(&r.Disabled, c.Disabled)
	set(&r.IsTest, c.IsTest)
}

// set changes a field to the value, if there is one.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// addRequest adds the row with what it can be found by.
func addRequest(ctx context.Context, tx bun.Tx, r *Request) error {
	if err := put(ctx, tx, r); err != nil {
		return err
	}
	return indexRequest(ctx, tx, *r)
}

// holdRequest reads a request that is about to be changed.
func (s *Store) holdRequest(ctx context.Context, tx bun.Tx, where func(*bun.SelectQuery) *bun.SelectQuery) (Request, error) {
	return one[Request](ctx, tx, "reading request", func(q *bun.SelectQuery) *bun.SelectQuery { return s.locked(where(q)) })
}

func ofAnybody(uid string) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("uid = ?", uid).Where("deleted IS NULL") }
}

func ofRequester(requesterUID, uid string) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return ofAnybody(uid)(q).Where("requester_uid = ?", requesterUID)
	}
}
