package practice

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Meter is one line of a practice account's meter list, as far as the site shows it: what a site does not show is empty.
type Meter struct {
	AccountNumber     string `json:"account_number,omitempty"`
	MeterNumber       string `json:"meter_number,omitempty"`
	ServiceIdentifier string `json:"service_identifier,omitempty"`
	ServiceAddress    string `json:"service_address,omitempty"`
	ServiceClass      string `json:"service_class,omitempty"` // electric or gas
	Tariff            string `json:"tariff,omitempty"`
	Status            string `json:"status,omitempty"` // active or inactive
}

// meterRecord is all a utility knows about one meter; a site shows a part of it.
type meterRecord struct {
	Meter
	UUID   string
	Street string
	City   string
	State  string
	Zip    string
}

// Active tells whether the account is still open.
func (r meterRecord) Active() bool { return r.Status == "active" }

// Gas tells whether the meter counts gas.
func (r meterRecord) Gas() bool { return r.ServiceClass == "gas" }

// meterGenerator says what a utility's numbers look like and which of them its site shows.
type meterGenerator struct {
	state, city string
	zip         int // the lowest of a hundred neighbouring codes
	account     numberFormat
	service     numberFormat
	meterDigits int
	perAccount  int // most meters below one account
	tariffs     []string
	gasTariff   string // empty: the utility sells no gas
	shows       func(Meter) Meter
}

// numberFormat is that of a number of a fixed length that begins in a fixed way.
type numberFormat struct {
	prefix string
	length int
}

func (d numberFormat) random(r *rand.Rand) string {
	number := d.prefix
	for len(number) < d.length {
		number += strconv.Itoa(1 + r.IntN(9))
	}
	return number
}

// generate makes the meters of one user. The same utility, user and count give the same meters on every machine.
func (s meterGenerator) generate(utility, user string, accounts int) []meterRecord {
	seed := sha256.Sum256([]byte(utility + "/" + user))
	r := rand.New(rand.NewChaCha8(seed)) //nolint:gosec // the same user has to get the same meters every time
	var list []meterRecord
	used := map[string]bool{}
	kind, _ := parseUser(user)
	for range accounts {
		first := s.firstMeter(r, used)
		list = append(list, first)
		// A login with one account may have several meters, one with many has one each: their number is then known.
		for extra := 1; kind != Many && extra < s.perAccount; extra++ {
			list = append(list, s.furtherMeter(r, first, used))
		}
	}
	return list
}

// firstMeter makes a new account with its first meter.
func (s meterGenerator) firstMeter(r *rand.Rand, used map[string]bool) meterRecord {
	rec := meterRecord{City: s.city, State: s.state, Zip: fmt.Sprintf("%05d", s.zip+r.IntN(100))}
	rec.Street = fmt.Sprintf("%d %s", 1+r.IntN(1999), pickOne(r, streets()))
	rec.AccountNumber = unused(r, s.account, used)
	rec.ServiceAddress = fmt.Sprintf("%s, %s, %s %s", rec.Street, rec.City, rec.State, rec.Zip)
	rec.Status = "active"
	if r.IntN(8) == 0 {
		rec.Status = "inactive"
	}
	rec.ServiceClass = "electric"
	if s.gasTariff != "" && r.IntN(4) == 0 {
		rec.ServiceClass = "gas"
	}
	return s.withNumbers(r, rec, used)
}

// furtherMeter makes a further meter at the same place.
func (s meterGenerator) furtherMeter(r *rand.Rand, first meterRecord, used map[string]bool) meterRecord {
	rec := first
	if s.gasTariff != "" && first.ServiceClass == "electric" {
		rec.ServiceClass = "gas"
	}
	return s.withNumbers(r, rec, used)
}

func (s meterGenerator) withNumbers(r *rand.Rand, rec meterRecord, used map[string]bool) meterRecord {
	rec.MeterNumber = unused(r, numberFormat{length: s.meterDigits}, used)
	rec.ServiceIdentifier = unused(r, s.service, used)
	rec.Tariff = pickOne(r, s.tariffs)
	if rec.Gas() {
		rec.Tariff = s.gasTariff
	}
	rec.UUID = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
	return rec
}

// unused draws until the number is new: twenty thousand accounts may not share one.
func unused(r *rand.Rand, d numberFormat, used map[string]bool) string {
	number := d.random(r)
	for used[number] {
		number = d.random(r)
	}
	used[number] = true
	return number
}

func pickOne(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func streets() []string {
	return []string{"Alder Street", "Birch Lane", "Cedar Court", "Dogwood Avenue", "Elm Place", "Fern Road", "Garden Terrace",
		"Harbor View", "Ivy Walk", "Juniper Drive", "Kiln Street", "Linden Avenue", "Maple Row", "Orchard Way"}
}
