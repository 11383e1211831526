package notices

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/workflows"
)

var keep = flag.String("keep", "", "folder to keep every notice's HTML and text in, to look at")

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func request() workflows.Request {
	return workflows.Request{
		RequestID: "r-1042", Requester: "acme", RequesterName: "Acme Solar", Utility: "PECO",
		RequesterEmail: "desk@acme.example", CustomerEmail: "pat@customer.example",
	}
}

func utility() UtilityInfo {
	return UtilityInfo{ID: "PECO", Name: "Philadelphia Electric Company", Website: "https://www.peco.example", FAQ: "https://www.peco.example/faqs"}
}

// sample is a notice as the workflow sends it.
type sample struct {
	name string
	workflows.Notice
}

// samples are every kind to every audience, for every reason that it can have.
func samples() []sample {
	var all []sample
	add := func(kind workflows.NoticeKind, to workflows.Audience, reason workflows.Reason) {
		until := now.Add(7 * 24 * time.Hour)
		name := string(to) + "-" + string(kind)
		if reason != "" {
			name += "-" + string(reason)
		}
		all = append(all, sample{name, workflows.Notice{
			ID: "r-1042.0f3a9c11.7", Kind: kind, To: to, Reason: reason, Request: request(), Until: &until, Meters: 3,
		}})
	}
	for _, kind := range []workflows.NoticeKind{workflows.NoticeSignIn, workflows.NoticeCodeNeeded, workflows.NoticeMFAReminder,
		workflows.NoticeConnected, workflows.NoticeExpired, workflows.NoticeCanceled} {
		add(kind, workflows.ToCustomer, "")
	}
	for _, kind := range []workflows.NoticeKind{workflows.NoticeConnected, workflows.NoticeDeclined, workflows.NoticeExpired} {
		add(kind, workflows.ToRequester, "")
	}
	for _, row := range workflows.Reasons() {
		kind := map[workflows.Status]workflows.NoticeKind{
			workflows.AwaitingLogin: workflows.NoticeSignInAgain, workflows.AwaitingCode: workflows.NoticeSignInAgain,
			workflows.AwaitingMFAOff: workflows.NoticeTurnMFAOff, workflows.Failed: workflows.NoticeFailed,
		}[row.Leads]
		if row.Customer != "" {
			add(kind, workflows.ToCustomer, row.Reason)
		}
		if row.Requester != "" {
			add(kind, workflows.ToRequester, row.Reason)
		}
	}
	return all
}

func TestKeepSamples(t *testing.T) {
	if *keep == "" {
		return
	}
	l, err := parseLetters()
	require.NoError(t, err)
	for _, s := range samples() {
		for _, off := range []bool{false, true} {
			s.MFAWasOff = off
			letter, err := l.write(s.Notice, factsOf(s.Notice, utility(), "https://meterkey.example", now))
			require.NoError(t, err, s.name)
			name := filepath.Join(*keep, s.name)
			if off {
				name += "-mfa"
			}
			require.NoError(t, os.WriteFile(name+".html", []byte(letter.HTML), 0o600))
			require.NoError(t, os.WriteFile(name+".txt", []byte("Subject: "+letter.Subject+"\n\n"+letter.Text), 0o600))
		}
	}
}
