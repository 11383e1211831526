package meterkey

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReasons_TableIsWhole(t *testing.T) {
	t.Parallel()
	reasons := []Reason{InvalidCredentials, TooManyLogins, AccountLocked, PasswordExpired, RegistrationUnfinished, Captcha,
		CodeRejected, CodeTimeout, CodeAttemptsUsed, WindowClosed, WindowLost, SessionEnded, UtilityUnavailable,
		SiteChanged, NoMeters, MFAUnsupported, Unreadable, UnknownUtility, Misconfigured, Terminated}
	require.Len(t, Reasons(), len(reasons))
	for _, r := range reasons {
		text := r.Text()
		require.Equal(t, r, text.Reason)
		require.NotEmpty(t, text.Customer, r)
		require.NotEmpty(t, text.Next, r)
		require.Contains(t, []WaitingOn{Customer, Requester, Operator, Nobody}, text.Acts, r)
		require.True(t, text.Leads.Valid(), r)
		if r != CodeRejected {
			require.NotEmpty(t, text.Requester, "only a mistyped code is not the requester's business")
		}
	}
	require.Equal(t, ReasonText{Reason: "nonsense", Acts: Nobody}, Reason("nonsense").Text())
}
