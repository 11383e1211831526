package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAllLeft(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(state VisitState, d time.Duration) Visit { return Visit{State: state, Seen: now.Add(-d)} }
	for name, test := range map[string]struct {
		visits []Visit
		left   bool
	}{
		"nobody came":                            {nil, false},
		"just here":                              {[]Visit{ago(VisitHere, 0)}, false},
		"here, the last sign just recent enough": {[]Visit{ago(VisitHere, Grace-1)}, false},
		"here, but silent: crashed":              {[]Visit{ago(VisitHere, Grace)}, true},
		"just gone":                              {[]Visit{ago(VisitGone, time.Second)}, false},
		"gone for the whole grace":               {[]Visit{ago(VisitGone, Grace)}, true},
		"reading the code in another app":        {[]Visit{ago(VisitAway, time.Second)}, false},
		"reading it for long":                    {[]Visit{ago(VisitAway, time.Hour)}, false},
		"one tab gone, one here":                 {[]Visit{ago(VisitGone, time.Hour), ago(VisitHere, 0)}, false},
		"one tab gone, one hidden":               {[]Visit{ago(VisitGone, time.Hour), ago(VisitAway, time.Hour)}, false},
		"one tab gone long ago, one just now":    {[]Visit{ago(VisitGone, time.Hour), ago(VisitGone, 0)}, false},
		"one tab gone, one crashed":              {[]Visit{ago(VisitGone, Grace), ago(VisitHere, Grace)}, true},
		"another portal's clock is ahead":        {[]Visit{ago(VisitHere, -time.Second)}, false},
	} {
		require.Equal(t, test.left, allLeft(test.visits, now), name)
	}
}
