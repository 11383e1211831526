package practice

import (
	"sort"
	"time"
)

// The part of the desk people and tests speak to: inboxes, ledgers, settings and outages.

// AccountLedger is one account's ledger with its name.
type AccountLedger struct {
	Utility string `json:"utility"`
	User    string `json:"user"`
	Ledger
}

func (d *desk) inbox(u *utility, user string) []Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Message{}, d.account(u, user).inbox...)
}

// phoneMessage is a message with whose phone it is on.
type phoneMessage struct {
	Utility, User string
	Message
}

// newest lists the newest messages of all phones, the newest first.
func (d *desk) newest(limit int) []phoneMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []phoneMessage
	for _, a := range d.accounts {
		for _, m := range a.inbox {
			all = append(all, phoneMessage{a.utility.id, a.user, m})
		}
	}
	sort.Slice(all, func(i, k int) bool { return all[i].At.After(all[k].At) })
	return all[:min(limit, len(all))]
}

func (d *desk) ledger(u *utility, user string) Ledger {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settled(d.account(u, user))
}

func (d *desk) settled(a *account) Ledger {
	for _, v := range a.visits {
		d.settle(v)
	}
	return a.ledger
}

// ledgers lists the ledger of every account anybody has spoken of, sorted by utility and user.
func (d *desk) ledgers() []AccountLedger {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := []AccountLedger{}
	for _, a := range d.accounts {
		list = append(list, AccountLedger{a.utility.id, a.user, d.settled(a)})
	}
	sort.Slice(list, func(i, k int) bool {
		return list[i].Utility+"/"+list[i].User < list[k].Utility+"/"+list[k].User
	})
	return list
}

func (d *desk) meters(u *utility, user string) []Meter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return seen{records: d.account(u, user).records}.shown(u)
}

func (d *desk) mfa(u *utility, user string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.account(u, user).mfa
}

func (d *desk) setMFA(u *utility, user string, on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.account(u, user)
	if a.mfa && !on {
		a.ledger.MFATurnedOff++
	}
	a.mfa = on
}

// setOutage takes a utility's whole site down until the given time; the zero time ends the outage.
func (d *desk) setOutage(u *utility, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outages[u.id] = until
}

func (d *desk) isDown(u *utility) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Before(d.outages[u.id])
}
