package practice

import (
	"sort"
	"time"
)

// The part of the customer system people and tests speak to: inboxes, ledgers, settings and outages.

// AccountLedger is one account's ledger with its name.
type AccountLedger struct {
	Utility string `json:"utility"`
	User    string `json:"user"`
	Ledger
}

func (cs *customerSystem) inbox(u *utility, user string) []Message {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return append([]Message{}, cs.account(u, user).inbox...)
}

// phoneMessage is a message with whose phone it is on.
type phoneMessage struct {
	Utility, User string
	Message
}

// newest lists the newest messages of all phones, the newest first.
func (cs *customerSystem) newest(limit int) []phoneMessage {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	var all []phoneMessage
	for _, a := range cs.accounts {
		for _, m := range a.inbox {
			all = append(all, phoneMessage{a.utility.id, a.user, m})
		}
	}
	sort.Slice(all, func(i, k int) bool { return all[i].At.After(all[k].At) })
	return all[:min(limit, len(all))]
}

func (cs *customerSystem) ledger(u *utility, user string) Ledger {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.currentLedger(cs.account(u, user))
}

func (cs *customerSystem) currentLedger(a *account) Ledger {
	for _, sess := range a.sessions {
		cs.endIfDue(sess)
	}
	return a.ledger
}

// ledgers lists the ledger of every account anybody has spoken of, sorted by utility and user.
func (cs *customerSystem) ledgers() []AccountLedger {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	list := []AccountLedger{}
	for _, a := range cs.accounts {
		list = append(list, AccountLedger{a.utility.id, a.user, cs.currentLedger(a)})
	}
	sort.Slice(list, func(i, k int) bool {
		return list[i].Utility+"/"+list[i].User < list[k].Utility+"/"+list[k].User
	})
	return list
}

func (cs *customerSystem) meters(u *utility, user string) []Meter {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return snapshot{records: cs.account(u, user).records}.meters(u)
}

func (cs *customerSystem) mfa(u *utility, user string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.account(u, user).mfa
}

func (cs *customerSystem) setMFA(u *utility, user string, on bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	a := cs.account(u, user)
	if a.mfa && !on {
		a.ledger.MFATurnedOff++
	}
	a.mfa = on
}

// setOutage takes a utility's whole site down until the given time; the zero time ends the outage.
func (cs *customerSystem) setOutage(u *utility, until time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.outages[u.id] = until
}

func (cs *customerSystem) isDown(u *utility) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return time.Now().Before(cs.outages[u.id])
}
