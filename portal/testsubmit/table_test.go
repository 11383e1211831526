package testsubmit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/portal/testsubmit"
	"github.com/meterkey/meterkey/utilities"
)

func TestTable_HasEveryReasonAndRoute(t *testing.T) {
	t.Parallel()
	named := map[string]testsubmit.Scenario{}
	for _, s := range testsubmit.Scenarios() {
		require.NotContains(t, named, s.Name, "twice")
		require.NotEmpty(t, s.Means, s.Name)
		require.True(t, s.Status.Valid(), s.Name)
		named[s.Name] = s
	}
	for _, reason := range meterkey.Reasons() {
		if reason.Reason != meterkey.Misconfigured && reason.Reason != meterkey.Terminated { // operators' doing, not a site's or a customer's
			require.Equal(t, reason.Reason, named[string(reason.Reason)].Reason)
		}
	}
	for _, kind := range []meterkey.ChallengeKind{meterkey.NumberCode, meterkey.SecurityAnswer, meterkey.MethodChoice} {
		require.Contains(t, named, string(kind))
		require.Contains(t, named, string(kind)+"_manual")
	}
	for _, name := range []string{"residential", "commercial", "badlogin", "badlogin_after", "websitedown", "websitedown_after", "utilityerror", "mfa_off", "mfa_off_manual"} {
		require.Contains(t, named, name)
	}
}

func TestPlan_PlaysWhereTheSiteCanShowIt(t *testing.T) {
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	s := testsubmit.New(nil, nil, nil, catalog, world.Practice.URL())
	for _, c := range []struct{ scenario, asked, plays string }{
		{"residential", "CONED", "CONED"},
		{"number_code", "DEMO", "DEMO"},
		{"mfa_off", "BGE", "BGE"},
		{"unknown_utility", "DEMO", "UNKNOWN"},
	} {
		plan, err := s.Plan(t.Context(), c.scenario, c.asked)
		require.NoError(t, err)
		require.Equal(t, c.plays, plan.Utility, c.scenario)
	}
	elsewhere, err := s.Plan(t.Context(), "number_code", "BGE")
	require.NoError(t, err)
	u, err := catalog.Find(elsewhere.Utility)
	require.NoError(t, err)
	require.Equal(t, utilities.Interactive, u.MFA.Policy)
	elsewhere, err = s.Plan(t.Context(), "mfa_off", "DEMO")
	require.NoError(t, err)
	u, err = catalog.Find(elsewhere.Utility)
	require.NoError(t, err)
	require.Equal(t, utilities.TurnOff, u.MFA.Policy)

	_, err = s.Plan(t.Context(), "no such", "DEMO")
	require.ErrorIs(t, err, testsubmit.ErrNoScenario)
	_, err = s.Plan(t.Context(), "residential", "NOWHERE")
	require.ErrorIs(t, err, testsubmit.ErrNoSite)
	lost := testsubmit.New(nil, nil, nil, catalog, "http://127.0.0.1:9")
	_, err = lost.Plan(t.Context(), "residential", "DEMO")
	require.ErrorContains(t, err, "the practice utilities at http://127.0.0.1:9 do not answer")
}
