package workflows

import (
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
)

var (
	keyStatus    = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeStatus)
	keyUtility   = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeUtility)
	keyRequester = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeRequester)
	keyWaitingOn = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeWaitingOn)
)

func searchAttributes(r meterkey.Request, s meterkey.Status) []temporal.SearchAttributeUpdate {
	return []temporal.SearchAttributeUpdate{keyStatus.ValueSet(string(s)), keyUtility.ValueSet(r.Utility),
		keyRequester.ValueSet(r.Requester), keyWaitingOn.ValueSet(string(s.WaitingOn()))}
}
