package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAllLeft(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(state PresenceState, d time.Duration) Presence { return Presence{State: state, Seen: now.Add(-d)} }
	for name, test := range map[string]struct {
		tabs []Presence
		left bool
	}{
		"nobody came":                            {nil, false},
		"just here":                              {[]Presence{ago(PresenceHere, 0)}, false},
		"here, the last sign just recent enough": {[]Presence{ago(PresenceHere, Grace-1)}, false},
		"here, but silent: crashed":              {[]Presence{ago(PresenceHere, Grace)}, true},
		"just gone":                              {[]Presence{ago(PresenceGone, time.Second)}, false},
		"gone for the whole grace":               {[]Presence{ago(PresenceGone, Grace)}, true},
		"reading the code in another app":        {[]Presence{ago(PresenceAway, time.Second)}, false},
		"reading it for long":                    {[]Presence{ago(PresenceAway, time.Hour)}, false},
		"one tab gone, one here":                 {[]Presence{ago(PresenceGone, time.Hour), ago(PresenceHere, 0)}, false},
		"one tab gone, one hidden":               {[]Presence{ago(PresenceGone, time.Hour), ago(PresenceAway, time.Hour)}, false},
		"one tab gone long ago, one just now":    {[]Presence{ago(PresenceGone, time.Hour), ago(PresenceGone, 0)}, false},
		"one tab gone, one crashed":              {[]Presence{ago(PresenceGone, Grace), ago(PresenceHere, Grace)}, true},
		"another portal's clock is ahead":        {[]Presence{ago(PresenceHere, -time.Second)}, false},
	} {
		require.Equal(t, test.left, allLeft(test.tabs, now), name)
	}
}
