package api

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
)

// The formats of a meter list.
const (
	formatJSON = "application/json"
	formatCSV  = "text/csv"
	formatAtom = "application/atom+xml"
)

// inFormats documents an operation that answers with a list of meters in each of the formats.
func inFormats(a *API, op huma.Operation) huma.Operation {
	text := &huma.Schema{Type: huma.TypeString}
	op.Responses = map[string]*huma.Response{"200": {Description: "The meters", Content: map[string]*huma.MediaType{
		formatJSON: {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[MeterList](), true, "")},
		formatCSV:  {Schema: text}, formatAtom: {Schema: text},
	}}}
	return op
}

// inFormat documents an operation that answers with a file of one format.
func inFormat(format string, op huma.Operation) huma.Operation {
	op.Responses = map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{
		format: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	return op
}

func (a *API) registerMeterFiles() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"Meters"}}
	}
	register(a, inFormat(formatCSV, op("get-meters-csv", "/files/meters_csv/{uid}", "Get an authorization's meters as CSV")), a.metersCSV)
	register(a, inFormat(formatAtom, op("list-usage-points", espiPath+"/UsagePoint", "List all meters as Green Button UsagePoints")), a.allUsagePoints)
	register(a, inFormat(formatAtom, op("list-subscription-usage-points", espiPath+"/Subscription/{uid}/UsagePoint",
		"List an authorization's meters as Green Button UsagePoints")), a.subscriptionUsagePoints)
	register(a, inFormat(formatAtom, op("get-usage-point", espiPath+"/Subscription/{uid}/UsagePoint/{meter}",
		"Get one meter as a Green Button UsagePoint")), a.usagePoint)
}

// filesOf are the addresses of an authorization's files.
func (a *API) filesOf(authorization string) AuthorizationFiles {
	return AuthorizationFiles{MetersCSV: a.link(Prefix + "/files/meters_csv/" + authorization), MetersXML: a.subscriptionLink(authorization)}
}

// listMeters answers in the format that the client likes best.
func (a *API) listMeters(ctx context.Context, in *listMetersInput) (*huma.StreamResponse, error) {
	format := negotiation.SelectQValueFast(in.Accept, []string{formatJSON, formatCSV, formatAtom})
	if format != formatCSV && format != formatAtom {
		list, err := a.meterPage(ctx, in)
		if err != nil {
			return nil, err
		}
		return a.stream(ctx, formatJSON, func(w io.Writer) error { return a.huma.Marshal(w, formatJSON, list) }), nil
	}
	filter, none := a.meterFilter(ctx, in)
	pages, err := a.meterPages(ctx, filter, none)
	if err != nil {
		return nil, listError(err, in.After)
	}
	if format == formatCSV {
		return a.csvFile(ctx, pages), nil
	}
	return a.usagePointFeed(ctx, a.usagePointsLink(), requesterOf(ctx), pages), nil
}

func (a *API) metersCSV(ctx context.Context, in *ByUID) (*huma.StreamResponse, error) {
	pages, err := a.authorizedPages(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	return a.csvFile(ctx, pages), nil
}

// authorizedPages are the meters of one of the caller's authorizations.
func (a *API) authorizedPages(ctx context.Context, authorization string) (meterPages, error) {
	if _, _, err := a.authorizationAndForm(ctx, authorization); err != nil {
		return meterPages{}, err
	}
	return a.meterPages(ctx, store.MeterFilter{Requester: requesterOf(ctx), Authorizations: []string{authorization}}, false)
}

// meterPages is a list of meters, read page by page, so that one of any length needs the memory of a page.
type meterPages struct {
	updated time.Time // when the newest was read
	all     iter.Seq2[[]store.Meter, error]
}

// meterPages begins to read a list. The first page is read at once, while an error can still be told. None stands for the
// empty list.
func (a *API) meterPages(ctx context.Context, f store.MeterFilter, none bool) (meterPages, error) {
	var page store.Page[store.Meter]
	var err error
	f.Limit = maxLimit
	if !none {
		page, err = a.Store.ListMeters(ctx, f)
	}
	list := meterPages{updated: time.Now(), all: func(yield func([]store.Meter, error) bool) {
		page, err := page, err
		for yield(page.Items, err) && err == nil && page.Next != "" {
			f.After = page.Next
			page, err = a.Store.ListMeters(ctx, f)
		}
	}}
	if len(page.Items) > 0 { // newest first
		list.updated = page.Items[0].Created
	}
	return list, err
}

// stream answers with what write writes. When that fails the connection is cut, so that nobody takes the part that was
// sent for the whole.
func (a *API) stream(ctx context.Context, format string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", format)
		c.SetStatus(http.StatusOK)
		if err := write(c.BodyWriter()); err != nil {
			if ctx.Err() == nil {
				a.Log.Error("answer broken off", zap.String("request_id", requestID(ctx)), zap.Error(err))
			}
			panic(http.ErrAbortHandler) // how a handler tells net/http to cut the connection
		}
	}}
}

// afterIn is the query of an authorization's further meters.
func afterIn(authorization, after string) string {
	return url.Values{"authorizations": {authorization}, "after": {after}, "limit": {"1000"}}.Encode()
}
