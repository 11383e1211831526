package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// BillList is a page of bills, of which there are none.
type BillList struct {
	Bills []struct{} `json:"bills" nullable:"false" maxItems:"0"`
	Next  *string    `json:"next"`
}

// IntervalList is a page of intervals, of which there are none.
type IntervalList struct {
	Intervals []struct{} `json:"intervals" nullable:"false" maxItems:"0"`
	Next      *string    `json:"next"`
}

// Collection asks for bills and intervals, which Meterkey does not read.
type Collection struct {
	Meters    []string `json:"meters" required:"false"`
	Frequency *string  `json:"frequency" required:"false"`

	_ struct{} `additionalProperties:"true"`
}

type collectionInput struct{ Body *Collection }

type collectedInput struct {
	Paging
	Meters         []string `query:"meters" maxItems:"1000"`
	Authorizations []string `query:"authorizations" maxItems:"1000"`
	Start          string   `query:"start"`
	End            string   `query:"end"`
	Order          string   `query:"order"`
}

// registerCollections adds what UtilityAPI's clients may ask for and Meterkey does not do, with honest answers.
func (a *API) registerCollections() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Not collected"},
			Description: "Meterkey reads the meter list only."}
	}
	register(a, op("list-bills", http.MethodGet, "/bills", "List bills: there are none"),
		func(context.Context, *collectedInput) (*answer[BillList], error) {
			return &answer[BillList]{BillList{Bills: []struct{}{}}}, nil
		})
	register(a, op("list-intervals", http.MethodGet, "/intervals", "List intervals: there are none"),
		func(context.Context, *collectedInput) (*answer[IntervalList], error) {
			return &answer[IntervalList]{IntervalList{Intervals: []struct{}{}}}, nil
		})
	for _, path := range []string{"historical-collection", "ongoing-monitoring"} {
		refused := op(path, http.MethodPost, "/meters/"+path, "Refused: "+path)
		register(a, refused, func(context.Context, *collectionInput) (*answer[Success], error) {
			return nil, fail(http.StatusUnprocessableEntity, "Meterkey reads the meter list only: there are no bills or intervals to collect")
		})
	}
}
