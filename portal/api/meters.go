package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// Meter is one meter of an authorization. It has exactly UtilityAPI's fields: its clients take any other for a block.
type Meter struct {
	UID               string       `json:"uid"`
	AuthorizationUID  string       `json:"authorization_uid"`
	Created           Time         `json:"created"`
	UserEmail         string       `json:"user_email"`
	UserUID           string       `json:"user_uid"`
	IsArchived        bool         `json:"is_archived"`
	IsActivated       bool         `json:"is_activated" doc:"Always false: bills and intervals are not collected."`
	IsExpanded        bool         `json:"is_expanded"`
	Notes             []Note       `json:"notes" nullable:"false"`
	Status            string       `json:"status" enum:"updated"`
	StatusMessage     string       `json:"status_message"`
	StatusTS          Time         `json:"status_ts"`
	OngoingMonitoring Monitoring   `json:"ongoing_monitoring"`
	Utility           string       `json:"utility"`
	BillCount         int          `json:"bill_count"`
	BillCoverage      [][]Time     `json:"bill_coverage" nullable:"false"`
	BillSources       []string     `json:"bill_sources" nullable:"false"`
	IntervalCount     int          `json:"interval_count"`
	IntervalCoverage  [][]Time     `json:"interval_coverage" nullable:"false"`
	IntervalSources   []string     `json:"interval_sources" nullable:"false"`
	Exports           MeterExports `json:"exports"`
	ExportsList       []Export     `json:"exports_list" nullable:"false"`
	Blocks            []string     `json:"blocks" nullable:"false"`
	Base              Base         `json:"base"`
}

// Base is what the utility's site shows of a meter. What it does not show is null.
type Base struct {
	ServiceIdentifier *string  `json:"service_identifier"`
	ServiceTariff     *string  `json:"service_tariff"`
	ServiceClass      *string  `json:"service_class" doc:"electric, gas or water."`
	ServiceAddress    *string  `json:"service_address"`
	ServiceStatus     *string  `json:"service_status" doc:"Meterkey's own: the utility's word for whether the service is on."`
	MeterNumbers      []string `json:"meter_numbers" nullable:"false"`
	BillingContact    *string  `json:"billing_contact"`
	BillingAddress    *string  `json:"billing_address"`
	BillingAccount    *string  `json:"billing_account" doc:"The account number."`
}

// Monitoring is off: the meter list is read once.
type Monitoring struct {
	Frequency       string         `json:"frequency" enum:"off"`
	Prepay          Optional[Time] `json:"prepay"`
	NextPrepay      Optional[Time] `json:"next_prepay"`
	NextRefresh     Optional[Time] `json:"next_refresh"`
	FixedRefreshDay Optional[Time] `json:"fixed_refresh_day"`
}

// MeterExports is empty: there are files of an authorization's meters, none of a single one.
type MeterExports struct{}

// MeterList is a page of meters.
type MeterList struct {
	Meters []Meter `json:"meters" nullable:"false"`
	Next   *string `json:"next" format:"uri"`
}

// MeterChange is what may be changed of a meter.
type MeterChange struct {
	IsArchived *bool `json:"is_archived" required:"false"`

	_ struct{} `additionalProperties:"true"`
}

type listMetersInput struct {
	Paging
	Include
	UIDs           []string `query:"uids" maxItems:"1000" doc:"Only these."`
	Authorizations []string `query:"authorizations" maxItems:"1000" doc:"Only meters of these authorizations."`
	Users          []string `query:"users" maxItems:"1000" doc:"Only those of these users, of which your key knows one."`
	Utility        string   `query:"utility" maxLength:"100"`
	IsActivated    Flag     `query:"is_activated" doc:"No meter is."`
	IsArchived     Flag     `query:"is_archived"`
	IsMonitored    Flag     `query:"is_monitored" doc:"No meter is."`
	Accept         string   `header:"Accept" maxLength:"1000" doc:"text/csv and application/atom+xml answer with all meters that match, in that format."`
}

type getMeterInput struct {
	ByUID
	Include
}

type changeMeterInput struct {
	ByUID
	Body Fields[MeterChange]
}

func (a *API) registerMeters() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Meters"}}
	}
	register(a, inFormats(a, op("list-meters", http.MethodGet, "/meters", "List meters",
		"The latest authorized first. As text/csv or application/atom+xml (Green Button) the whole list in one answer.")), a.listMeters)
	register(a, op("get-meter", http.MethodGet, "/meters/{uid}", "Get a meter", ""), a.getMeter)
	register(a, op("modify-meter", http.MethodPost, "/meters/{uid}", "Modify a meter", ""), a.changeMeter)
	a.registerMeterFiles()
	a.registerCollections()
}

// filter is the list's filter; none tells that nothing can match.
func (a *API) meterFilter(ctx context.Context, in *listMetersInput) (f store.MeterFilter, none bool) {
	for _, flag := range []*bool{in.IsActivated.pointer(), in.IsMonitored.pointer()} {
		none = none || flag != nil && *flag
	}
	none = none || excludes(in.Users, requesterOf(ctx))
	return store.MeterFilter{Requester: requesterOf(ctx), UIDs: in.UIDs, Authorizations: in.Authorizations,
		Utility: a.utilityID(in.Utility), Archived: in.IsArchived.pointer(), After: in.After, Limit: in.Limit}, none
}

// meterPage is one page of the list.
func (a *API) meterPage(ctx context.Context, in *listMetersInput) (MeterList, error) {
	list := MeterList{Meters: []Meter{}}
	filter, none := a.meterFilter(ctx, in)
	if none {
		return list, nil
	}
	page, err := a.Store.ListMeters(ctx, filter)
	if err != nil {
		return list, listError(err, in.After)
	}
	list.Meters = a.meters(ctx, page.Items)
	list.Next = a.next(ctx, page.Next, in.Limit)
	return list, nil
}

// metersOf is the first page of an authorization's meters; next leads to the rest.
func (a *API) metersOf(ctx context.Context, authorization string) (*MeterList, error) {
	page, err := a.Store.ListMeters(ctx, store.MeterFilter{Requester: requesterOf(ctx), Authorizations: []string{authorization}, Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	list := &MeterList{Meters: a.meters(ctx, page.Items)}
	if page.Next != "" {
		next := a.link(Prefix + "/meters?" + afterIn(authorization, page.Next))
		list.Next = &next
	}
	return list, nil
}

func (a *API) getMeter(ctx context.Context, in *getMeterInput) (*answer[Meter], error) {
	row, err := a.Store.Meter(ctx, requesterOf(ctx), in.UID)
	return a.meterAnswer(ctx, row, err)
}

func (a *API) changeMeter(ctx context.Context, in *changeMeterInput) (*answer[Meter], error) {
	row, err := a.Store.Meter(ctx, requesterOf(ctx), in.UID)
	if archived := in.Body.Value.IsArchived; err == nil && archived != nil {
		row, err = a.Store.ArchiveMeter(ctx, requesterOf(ctx), in.UID, *archived)
	}
	return a.meterAnswer(ctx, row, err)
}

func (a *API) meterAnswer(ctx context.Context, row store.Meter, err error) (*answer[Meter], error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("meter")
	}
	if err != nil {
		return nil, err
	}
	return &answer[Meter]{a.meters(ctx, []store.Meter{row})[0]}, nil
}

// meters are rows in the API's shape.
func (a *API) meters(ctx context.Context, rows []store.Meter) []Meter {
	requester := callerOf(ctx).requester
	return converted(rows, func(m store.Meter) Meter {
		return Meter{UID: m.UID, AuthorizationUID: m.AuthorizationUID, Created: Time{m.Created}, UserEmail: requester.Email,
			UserUID: requester.UID, IsArchived: m.IsArchived, IsExpanded: true, Status: "updated",
			Notes:         []Note{{Type: "meter_full", Msg: "The meter is on the utility's list.", TS: Time{m.Created}}},
			StatusMessage: "Service exists; bills and intervals are not collected.", StatusTS: Time{m.Created},
			OngoingMonitoring: Monitoring{Frequency: "off"}, Utility: m.Utility,
			BillCoverage: [][]Time{}, BillSources: []string{}, IntervalCoverage: [][]Time{}, IntervalSources: []string{},
			ExportsList: []Export{}, Blocks: []string{"base"}, Base: base(m.Meter)}
	})
}

func base(m meterkey.Meter) Base {
	b := Base{ServiceIdentifier: nullable(m.ServiceIdentifier), ServiceTariff: nullable(m.Tariff),
		ServiceClass: nullable(m.ServiceClass), ServiceAddress: nullable(m.ServiceAddress),
		ServiceStatus: nullable(m.Status), BillingAccount: nullable(m.AccountNumber), MeterNumbers: []string{}}
	if m.MeterNumber != "" {
		b.MeterNumbers = []string{m.MeterNumber}
	}
	return b
}
